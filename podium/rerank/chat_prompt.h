// A slate as a chat model reads it: the instructions of GR2's section 4 (role and task; the whole
// collaborative context at once; domain knowledge; every item cited by name; structured steps), and
// the items as JSON.
//
// Instructions are a text of three parts, each begun by a line of its own:
//   [system]   the system message
//   [user]     the user message; {{history}} and {{candidates}} stand for the items
//   [target]   added to the user message where the model is shown what the user chose: {{target}}
// {{count}} is the number of candidates. Lines before the first part are comments.
//
// What a catalogue says stands in the message as JSON string values, cut to a length, without
// control characters and without '<', so that it can neither end a value nor spell a control token.
#pragma once

#include <string>
#include <string_view>

#include "podium/base/files.h"
#include "podium/rerank/prompt.h"

namespace podium::rerank {

struct ChatTemplate {
  std::string system, user, target;
};

extern const std::string_view kChatInstructions;  // the built-in ones

// Throws Error naming `where` on a missing part, an unknown {{name}}, or a user message without
// the items.
ChatTemplate parse_chat_template(std::string_view text, const std::string& where);

struct ChatMessages {
  std::string system, user;
};
// slate: as it is shown; its history is h_1, h_2..., oldest first, its candidates c_1, c_2... The
// labels are read only for show_target.
ChatMessages chat_messages(const ChatTemplate& instructions, const PromptContext& context,
                           const Slate& slate, bool show_target);

}  // namespace podium::rerank
