#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "podium/base/error.h"
#include "podium/base/json.h"
#include "podium/base/scratch.h"
#include "podium/cli/commands.h"
#include "podium/cli/doctor_checks.h"
#include "podium/serve/keys.h"
#include "podium/serving/test_bundle.h"
#include "podium/store/store.h"

namespace podium::cli {
namespace {

class DoctorTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = scratch("doctor");
    bundle_ = serving::write_test_bundle(root_);
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  void SetUp() override {
    server_.bundle = bundle_;
    server_.state = scratch_dir("doctor_state");
    server_.port = 0;
    server_.keys = server_.state / "keys.json";
    serve::write_keys(server_.keys, {{"shop", sha256("x"), {serve::Scope::kRead}}});
    fs::permissions(server_.keys, fs::perms(0640));
  }
  Finding finding(const std::string& what) const {
    for (Finding& found : examine(server_)) {
      if (found.what == what) return std::move(found);
    }
    ADD_FAILURE() << "nothing is told of " << what;
    return {};
  }
  // Unfit, and says so in these words; with a cure.
  void unfit(const std::string& what, const std::string& words) const {
    const Finding found = finding(what);
    EXPECT_EQ(found.health, Health::kUnfit) << what << ": " << found.told;
    EXPECT_NE(found.told.find(words), std::string::npos) << found.told;
    EXPECT_FALSE(found.cure.empty());
  }

  static inline fs::path root_, bundle_;
  Deployment server_;
};

TEST_F(DoctorTest, AGoodSetUpIsFit) {
  { store::Store(server_.state).add_event("u1", {"i1", 5}); }
  write_file_atomic(server_.state / "rules.toml", "");
  for (const Finding& found : examine(server_)) {
    EXPECT_NE(found.health, Health::kUnfit) << found.what << ": " << found.told;
    EXPECT_EQ(found.cure.empty(), found.health == Health::kFit) << found.what;
  }
  EXPECT_NE(finding("log").told.find("1 changes"), std::string::npos) << finding("log").told;
  EXPECT_NE(finding("bundle").told.find("40 items"), std::string::npos);
  EXPECT_NE(finding("state").told.find("a write is on disk in"), std::string::npos);
  EXPECT_FALSE(fs::exists(server_.state / ".podium-doctor"));
  server_.state = root_ / "to come";
  EXPECT_NE(finding("state").told.find("it will be made"), std::string::npos);
  EXPECT_FALSE(fs::exists(server_.state));
}

TEST_F(DoctorTest, ADamagedBundleIsUnfit) {
  server_.bundle = root_ / "damaged";
  fs::copy(bundle_, server_.bundle, fs::copy_options::recursive);
  std::string text = read_file(server_.bundle / "policy" / "model.safetensors");
  text.back() = char(text.back() ^ 1);
  write_file_atomic(server_.bundle / "policy" / "model.safetensors", text);
  unfit("bundle", "damaged: ");
  server_.bundle = root_ / "none";
  unfit("bundle", "");
}

TEST_F(DoctorTest, ALogOfAnotherProgramIsUnfit) {
  write_file_atomic(server_.state / store::kLogFile, std::string(5000, 'x'));
  unfit("log", "");
}

TEST_F(DoctorTest, AServerAtWorkIsSeen) {
  const store::Store store(server_.state);
  const Finding found = finding("state");
  EXPECT_EQ(found.health, Health::kFit);
  EXPECT_NE(found.told.find("a server is at work"), std::string::npos) << found.told;
}

TEST_F(DoctorTest, KeysAreForTheirOwner) {
  EXPECT_EQ(finding("keys").health, Health::kFit);
  fs::permissions(server_.keys, fs::perms(0644));
  EXPECT_EQ(finding("keys").health, Health::kWorth);
  fs::permissions(server_.keys, fs::perms(0660));
  unfit("keys", "others than the owner may write");
  write_file_atomic(server_.keys, "{}");
  unfit("keys", "not a file of keys");
  server_.keys.clear();
  EXPECT_EQ(finding("keys").health, Health::kWorth) << "of this machine only";
  server_.address = "0.0.0.0";
  unfit("keys", "anyone who reaches 0.0.0.0");
}

TEST_F(DoctorTest, RulesMustBeReadable) {
  write_file_atomic(server_.state / "rules.toml", "[[filter]]\nname = 3\n");
  unfit("rules", "");
}

TEST_F(DoctorTest, ThePortMustBeFree) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(to);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&to), length), 0);
  ASSERT_EQ(::listen(socket, 1), 0);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&to), &length);
  server_.port = ntohs(to.sin_port);
  unfit("port", "in use");
  ::close(socket);
  server_.port = 0;
  server_.address = "here";
  unfit("port", "no address");
}

TEST_F(DoctorTest, TheCommandTellsItAndFailsWhenSomethingIsUnfit) {
  const auto run = [&](std::vector<std::string> arguments, std::string& output) {
    CLI::App app;
    add_doctor_command(app);
    testing::internal::CaptureStdout();
    std::string told;
    try {
      app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const Error& error) {
      told = error.message();
    }
    output = testing::internal::GetCapturedStdout();
    return told;
  };
  std::string output;
  const std::vector<std::string> good = {"doctor", "--bundle",   bundle_,  "--state", server_.state,
                                         "--keys", server_.keys, "--port", "0"};
  EXPECT_EQ(run(good, output), "");
  EXPECT_NE(output.find("bundle"), std::string::npos);
  auto bad = good;
  bad.insert(bad.end(), {"--rules", bundle_ / "manifest.json", "--json"});
  EXPECT_EQ(run(bad, output), "1 of 10 are unfit");
  const Json json = parse_json(output, "doctor --json");
  ASSERT_EQ(json.size(), 10u);
  for (const Json& found : json) {
    EXPECT_EQ(found["health"] == "unfit", found["what"] == "rules") << found.dump();
  }
}

}  // namespace
}  // namespace podium::cli
