# The version stamp: project version and the commit it was built from, in one generated source file,
# refreshed at every build so that an incremental build never carries an old commit.
set(crossgrid_version_source ${CMAKE_BINARY_DIR}/generated/version.cpp)
add_custom_target(crossgrid_version_stamp
  COMMAND ${CMAKE_COMMAND} -DTEMPLATE=${CMAKE_SOURCE_DIR}/cmake/version.cpp.in -DOUTPUT=${crossgrid_version_source}
          -DSOURCE=${CMAKE_SOURCE_DIR} -DVERSION=${PROJECT_VERSION} -DBUILD_TYPE=${CMAKE_BUILD_TYPE}
          -DSANITIZE=${CROSSGRID_SANITIZE} -DCUDA=${CROSSGRID_CUDA_FOUND} -DCUDA_VERSION=${CUDAToolkit_VERSION}
          -P ${CMAKE_SOURCE_DIR}/cmake/StampVersion.cmake
  BYPRODUCTS ${crossgrid_version_source}
  VERBATIM)
