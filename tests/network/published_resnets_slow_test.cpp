#include "published_resnets.hpp"

namespace crossgrid {
namespace {

TEST(PublishedResNetsSlow, GiveTheLogitsStoredBesideThemOnAllImages) {
  test::expect_published_logits({{"14", 2000}, {"20", 2000}, {"32", 2000}, {"56", 2000}});
}

}  // namespace
}  // namespace crossgrid
