#pragma once

namespace crossgrid::benchmarks {

/// Rows first .. first + count - 1 of c = a * b, all size x size and row-major, in double, by the same library and for
/// the same instructions as the wires' solver.
void multiply_rows(const double* a, const double* b, double* c, int size, int first, int count);

}  // namespace crossgrid::benchmarks
