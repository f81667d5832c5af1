#include "podium/serve/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "podium/base/rng.h"

namespace podium::serve {
namespace {

using namespace std::chrono_literals;
using Clock = Admission::Clock;

// A clock that stands until it is moved, and requests that tell what became of them.
class AdmissionTest : public testing::Test {
 protected:
  void enter(char name) {
    admission_.enter([this, name](bool taken) { told_ += taken ? name : char(name - 'a' + 'A'); });
  }
  // What was told since: small letters were taken, capitals refused.
  std::string told() { return std::exchange(told_, ""); }

  Clock::time_point now_{1h};
  std::string told_;
  Admission admission_{{.most_running = 2, .now = [this] { return now_; }}};
};

TEST_F(AdmissionTest, SoManyRunAndTheOthersWaitInOrder) {
  for (const char name : {'a', 'b', 'c', 'd'}) enter(name);
  EXPECT_EQ(told(), "ab");
  now_ += 50ms;
  admission_.leave(1ms);
  EXPECT_EQ(told(), "c") << "a burst may wait";
  admission_.leave(1ms);
  EXPECT_EQ(told(), "d");
  admission_.leave(1ms);
  admission_.leave(1ms);
  enter('e');
  EXPECT_EQ(told(), "e") << "there is room again";
}

TEST_F(AdmissionTest, WhoeverWaitedTooLongIsToComeBack) {
  for (const char name : {'a', 'b', 'c', 'd'}) enter(name);
  now_ += 60ms;
  enter('e');
  now_ += 50ms;
  told();
  admission_.leave(1ms);
  EXPECT_EQ(told(), "CDE") << "somebody has waited for longer than a burst";
  enter('f');
  EXPECT_EQ(told(), "f") << "the refused leave no place taken";
}

TEST_F(AdmissionTest, AQueueThatStandsIsKeptShort) {
  for (const char name : {'a', 'b', 'c'}) enter(name);
  told();
  for (char name = 'd'; name <= 'm'; ++name) {  // somebody always waits, 10 ms each
    now_ += 10ms;
    enter(name);
    admission_.leave(1ms);
    EXPECT_EQ(told(), std::string(1, char(name - 1)));
  }
  now_ += 10ms;
  enter('n');
  admission_.leave(1ms);
  EXPECT_EQ(told(), "nM") << "after 100 ms of that, 10 are too long";
  enter('o');
  now_ += 10ms;
  admission_.leave(1ms);
  EXPECT_EQ(told(), "O") << "nobody waited in between, but it is not over";
  now_ += 101ms;
  enter('p');
  enter('q');
  now_ += 10ms;
  admission_.leave(1ms);
  EXPECT_EQ(told(), "pq") << "a burst again";
}

TEST_F(AdmissionTest, OfAQueueThatStandsTheNewestComesFirst) {
  for (const char name : {'a', 'b', 'c'}) enter(name);
  now_ += 101ms;
  told();
  enter('d');
  now_ += 2ms;
  for (const char name : {'e', 'f', 'g'}) enter(name);
  admission_.leave(1ms);
  EXPECT_EQ(told(), "gC");
  admission_.leave(1ms);
  EXPECT_EQ(told(), "f");
  now_ += 1ms;
  admission_.leave(1ms);
  EXPECT_EQ(told(), "eD") << "whoever was late for that is told soon";
}

TEST_F(AdmissionTest, WhereWorkTakesLongMoreMayBeWaited) {
  for (int i = 0; i < 300; ++i) {  // the average of 1 s is learnt
    enter('a');
    admission_.leave(1s);
  }
  for (const char name : {'a', 'b', 'c'}) enter(name);
  told();
  now_ += 3900ms;
  enter('d');
  admission_.leave(1s);
  EXPECT_EQ(told(), "c") << "a burst may be of four times that";
  now_ += 400ms;
  enter('e');
  admission_.leave(1s);
  EXPECT_EQ(told(), "e") << "after it, of half of it, and the newest comes first";
  now_ += 600ms;
  admission_.leave(1s);
  EXPECT_EQ(told(), "D");
}

TEST(Admission, EveryoneIsToldOnce) {
  Admission admission({.most_running = 3, .least_delay = 0ms, .least_patience = 0ms});
  std::atomic<int> taken{0}, refused{0}, running{0}, most{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        admission.enter([&](bool now) {
          if (!now) return void(++refused);
          const int together = ++running;
          for (int seen = most; together > seen && !most.compare_exchange_weak(seen, together);) {
          }
          --running;
          ++taken;
          admission.leave(0ms);
        });
      }
    });
  }
  threads.clear();
  EXPECT_EQ(taken + refused, 16000);
  EXPECT_LE(most, 3);
}

// Two cores that share their time among the requests that run, without a real clock. Times are
// ms; work takes 2 to 8 of them.
class TwoCores {
 public:
  explicit TwoCores(size_t most_running)
      : admission_({.most_running = most_running, .now = [this] { return moment(); }}) {}

  // `requests` come at random, so many a second.
  void run(size_t requests, double a_second) {
    double next = now_;
    for (size_t i = 0; i < requests;) {
      const double end = next_end();
      if (next <= end) {
        advance(next - now_);
        arrive();
        next = now_ - std::log(1 - rng_.uniform()) * 1000 / a_second;
        ++i;
      } else {
        advance(end - now_);
        end_one();
      }
    }
    while (!running_.empty()) {
      advance(next_end() - now_);
      end_one();
    }
  }
  double p99() {
    std::ranges::sort(took_);
    return took_[took_.size() * 99 / 100];
  }
  size_t taken() const { return took_.size(); }
  size_t refused() const { return refused_; }
  double seconds() const { return (now_ - 1e6) / 1000; }

 private:
  struct Job {
    double arrived, began, left;
  };
  Clock::time_point moment() const {
    return Clock::time_point(std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double, std::milli>(now_)));
  }
  double share() const { return std::min(1.0, 2.0 / double(running_.size())); }
  double next_end() const {
    double least = INFINITY;
    for (const Job& job : running_) least = std::min(least, job.left);
    return now_ + least / share();
  }
  void advance(double ms) {
    for (Job& job : running_) job.left -= ms * share();
    now_ += ms;
  }
  void arrive() {
    const double work = 2 + 6 * rng_.uniform(), arrived = now_;
    admission_.enter([this, work, arrived](bool taken) {
      taken ? running_.push_back({arrived, now_, work}) : void(++refused_);
    });
  }
  void end_one() {
    const auto first = std::ranges::min_element(running_, {}, &Job::left);
    took_.push_back(now_ - first->arrived);
    const std::chrono::duration<double, std::milli> worked(now_ - first->began);
    running_.erase(first);
    admission_.leave(std::chrono::duration_cast<Clock::duration>(worked));
  }

  double now_ = 1e6;
  Rng rng_{1};
  std::vector<Job> running_;
  std::vector<double> took_;
  size_t refused_ = 0;
  Admission admission_;
};

constexpr double kCapacity = 2 * 1000 / 5.0;  // requests a second

TEST(Admission, PastCapacityThoseTakenAreAnsweredAsFast) {
  TwoCores half(6), thrice(6), all(100000);
  half.run(20000, kCapacity / 2);
  thrice.run(60000, 3 * kCapacity);
  all.run(3000, 3 * kCapacity);
  EXPECT_EQ(half.refused(), 0u) << "below capacity everybody is taken";
  EXPECT_LT(thrice.p99(), 2 * half.p99());
  EXPECT_GT(double(thrice.taken()) / thrice.seconds(), .97 * kCapacity) << "and nothing is wasted";
  EXPECT_GT(all.p99(), 100 * half.p99()) << "it is the admission's doing";
}

TEST(Admission, ABurstIsTaken) {
  TwoCores cores(6);
  cores.run(2000, kCapacity / 2);
  cores.run(30, 1e6);  // at once, 75 ms of work
  cores.run(2000, kCapacity / 2);
  EXPECT_EQ(cores.refused(), 0u);
}

}  // namespace
}  // namespace podium::serve
