// The commands around trained funnels. Each function adds one subcommand to `app`; the work happens
// in its callback, which throws podium::Error on bad input. Results go to standard output, logs and
// progress to standard error.
#pragma once

#include <CLI/CLI.hpp>

namespace podium::cli {

void add_recommend_command(CLI::App& app);  // recommend --bundle DIR --user ID
void add_rerank_command(CLI::App& app);     // rerank --bundle DIR < slates.jsonl
void add_serve_command(CLI::App& app);      // serve --bundle DIR
void add_keys_command(CLI::App& app);
void add_doctor_command(CLI::App& app);    // doctor --bundle DIR
void add_eval_command(CLI::App& app);      // eval --run DIR, eval --bundle DIR
void add_retrieve_command(CLI::App& app);  // retrieve --policy DIR
void add_report_command(CLI::App& app);    // report --run DIR
void add_slates_command(CLI::App& app);    // slates show --run DIR, and the next
void add_front_command(CLI::App& slates);  // slates front --run DIR --data DIR
void add_config_command(CLI::App& app);    // config
void add_models_command(CLI::App& app);    // models get NAME
void add_verify_command(CLI::App& app);    // verify DIR

}  // namespace podium::cli
