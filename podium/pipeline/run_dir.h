// A run's directory. It may hold other things of the user's (a podium.toml, notes); what podium
// writes there has fixed names, and a marker says that those are podium's.
#pragma once

#include "podium/base/files.h"

namespace podium::pipeline {

// Makes the directory and its marker (manifest.json of kind "run"). Throws Error, changing nothing,
// when one of podium's names is taken there by something that podium did not write, or when `data`
// lies in `out`. Runs of older versions, which have no marker, are known by their stages.
void claim_run(const fs::path& out, const fs::path& data);

}  // namespace podium::pipeline
