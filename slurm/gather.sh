#!/bin/bash
@SBATCH@

# Runs when the jobs of a sweep have ended: makes the database of all journals and draws it (docs/slurm.md).

cd @WORK_FOLDER@ || exit
crossgrid=@PROGRAM@
folder=@FOLDER@
@SETUP@

# A run whose node was lost is believed to be at work for a minute more (exit code 5).
for pause in @BUSY_PAUSES@; do
  "$crossgrid" gather "$folder"
  code=$?
  ((code == 5)) || break
  sleep "$pause"
done
@DRAW@
exit "$code"
