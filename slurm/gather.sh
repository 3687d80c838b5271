#!/bin/bash
@SBATCH@

# Runs when the jobs of a sweep have ended: makes the database of all journals and draws it (docs/slurm.md).

cd @WORK_FOLDER@ || exit
crossgrid=@PROGRAM@
folder=@FOLDER@
@SETUP@

"$crossgrid" gather "$folder"
code=$?
@DRAW@
exit "$code"
