"""The inference tests once more with oneDNN held to AVX2: its other code paths must be as right and as repeatable."""
import os
import subprocess
import sys

program = os.path.join(os.path.dirname(os.environ["CROSSGRID_BINARY"]), "test_network")
environment = dict(os.environ, DNNL_MAX_CPU_ISA="AVX2")
tests = "InferenceEngine.*:*AnalogLayer*:PreparedMatrix.*:*IntegerPlan*"
sys.exit(subprocess.run([program, "--gtest_filter=" + tests, "--gtest_brief=1"], env=environment).returncode)
