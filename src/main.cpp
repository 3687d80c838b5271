#include "crossgrid/app/main.hpp"

int main(int argc, char** argv) {
  return crossgrid::run_command_line(argc, argv);
}
