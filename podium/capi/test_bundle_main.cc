// test_bundle DIR: writes the tests' tiny bundle below DIR and prints its path.
#include <cstdio>

#include "podium/serving/test_bundle.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::puts(podium::serving::write_test_bundle(argv[1]).c_str());
  return 0;
}
