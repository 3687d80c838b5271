"""`crossgrid adc` reports what a converter's mismatch does: nothing without mismatch, the same for the same seed."""

import csv
import io
import os
import subprocess
import tempfile
from pathlib import Path


def call(*words):
    return subprocess.run([os.environ["CROSSGRID_BINARY"], "adc", *words], capture_output=True, text=True)


def settings(**values):
    return [word for name, value in values.items() for word in ("--set", f"adc.{name}={value}")]


def report(*words):
    """Label -> mean, std, largest."""
    result = call(*words)
    assert result.returncode == 0, result.stderr
    rows = [line.rsplit(maxsplit=3) for line in result.stdout.splitlines() if line.endswith(tuple("0123456789"))]
    return {row[0].strip(): [float(cell) for cell in row[1:]] for row in rows if len(row) == 4}


def check_report():
    for model in ("quantizer", "sign_magnitude", "ramp", "sar", "pipeline", "cyclic"):
        rows = report(*settings(model=model, bits=6, gain_db=400))
        assert rows["largest |DNL| [LSB]"][0] < 1e-3, (model, rows)
        assert rows["largest |INL| [LSB]"][0] < 1e-3, (model, rows)
        assert rows["missing codes [%]"] == [0, 0, 0], (model, rows)
    bad = settings(model="sar", bits=8, split="false", sigma_capacitor=0.1)
    rows = report(*bad, "--trials", "20", "--seed", "3")
    assert rows["largest |DNL| [LSB]"][0] > 0.5 and rows["largest |DNL| [LSB]"][1] > 0, rows
    assert rows["missing codes [%]"][0] > 0, rows
    assert rows == report(*bad, "--trials", "20", "--seed", "3")
    assert rows != report(*bad, "--trials", "20", "--seed", "4")


def check_csv():
    words = settings(model="ramp", bits=4, sigma_capacitor=0.05)
    table = list(csv.DictReader(io.StringIO(call(*words, "--trials", "10", "--csv").stdout)))
    assert [int(row["code"]) for row in table] == list(range(16))
    assert table[0]["dnl_mean"] == "" and table[0]["inl_mean"] == "" and table[15]["dnl_mean"] == ""
    assert float(table[7]["dnl_std"]) > 0 and float(table[15]["inl_mean"]) < 1e-9
    assert all(float(row["missing_rate"]) >= 0 for row in table)


def check_table():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measured.csv"
        path.write_text("value,mean,sigma\n-1,0,0\n0,0.05,0\n1,0,0\n")  # bends by 5 % of half the range
        rows = report(*settings(model="table", bits=6, table=path))
        assert 1 < rows["largest |INL| [LSB]"][0] < 2.2, rows


def check_errors():
    for words, code, part in (
        ((), 2, "adc.model=sar"),
        (settings(model="levels", levels="[0,1]"), 2, "unequal levels"),
        (settings(model="sar", bits=1), 2, "adc.bits >= 2"),
        (settings(model="saar"), 4, "saar"),
        (settings(model="table"), 4, "adc.table"),
        (settings(model="sar") + ["--trials", "0"], 2, "--trials"),
        (settings(bitz=4), 4, "adc.bits"),
    ):
        result = call(*words)
        assert result.returncode == code and part in result.stderr, (words, result.returncode, result.stderr)
    assert "--csv" in call("--help").stdout


check_report()
check_csv()
check_table()
check_errors()
print("adc command: report, per-code values, table and errors are as they must be")
