#!/bin/bash
@SBATCH@

# Works on a sweep, or on a shard of it, until all is done: before the time limit it stops in order and queues itself
# again. 'crossgrid submit' wrote it; 'sbatch' of this file continues too (docs/slurm.md).

cd @WORK_FOLDER@ || exit
crossgrid=@PROGRAM@
folder=@FOLDER@
run=(@RUN@)
shards=@SHARDS@
most_idle_jobs=3
@SETUP@

shard=() part=all
if ((shards > 1)); then
  part=${SLURM_ARRAY_TASK_ID}of$shards
  shard=(--shard "$SLURM_ARRAY_TASK_ID/$shards")
fi

# The warning before the time limit: stop in order. SIGTERM (cancelled, or preempted): Slurm decides what follows.
child="" stopping=no
trap 'stopping=warned; [ -z "$child" ] || kill -USR1 "$child" 2>/dev/null' USR1
trap 'stopping=ended; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM

say() { printf '%s job %s (%s): %s\n' "$(date -u +%FT%TZ)" "$SLURM_JOB_ID" "$part" "$*"; }
records() { "$crossgrid" status --records "${shard[@]}" "$folder" 2>/dev/null || echo 0; }

# Jobs that began with the same number of records, this one included. A file, since a job that is lost with its node
# can't count itself.
idle_file=$folder/slurm/idle-$part
mkdir -p "$folder/slurm"
first=$(records) idle=0 before=-1
[ -f "$idle_file" ] && read -r idle before <"$idle_file"
case $idle in [0-9]) ;; *) idle=0 ;; esac # arithmetic would run what else stands there
[ "$first" = "$before" ] || idle=0
stop_if_idle() {
  ((idle < most_idle_jobs)) && return
  say "stopped: $most_idle_jobs jobs in a row brought no new record; not queued again"
  rm -f "$idle_file"
  exit 75
}
stop_if_idle
idle=$((idle + 1))
echo "$idle $first" >"$idle_file"

# The launcher's exit code says nothing: mpirun --enable-recovery ends with 0 whatever its ranks say.
code_file=$folder/slurm/code-$part
launch() {
  rm -f "$code_file"
  @LAUNCH@ "$crossgrid" run "${run[@]}" "${shard[@]}" --exit-code "$code_file" &
  child=$!
  until wait "$child" || ! kill -0 "$child" 2>/dev/null; do :; done
  child=""
  code=$(cat "$code_file" 2>/dev/null)
}

# A run whose node was lost is believed to be at work for a minute more (exit code 5).
for pause in @BUSY_PAUSES@; do
  code=""
  [ $stopping = no ] && launch
  [ "$code" = 5 ] || break
  sleep "$pause"
done

# What the run refuses would be refused again. Of all else the journal decides.
case $code in 2 | 4 | 5 | 7)
  say "stopped: exit code $code of 'crossgrid run', see above; not queued again"
  rm -f "$idle_file"
  exit "$code"
  ;;
esac
"$crossgrid" status --check "${shard[@]}" "$folder"
state=$?
if ((state != 75)); then
  say "ended: exit code $state of 'crossgrid status --check'"
  rm -f "$idle_file"
  exit "$state"
fi
if [ $stopping = ended ]; then
  say "ended by SIGTERM with work left"
  exit 75
fi
[ "$(records)" = "$first" ] && stop_if_idle
say "work is left: queued again"
if ! scontrol requeue "$SLURM_JOB_ID"; then
  say "Slurm does not queue it again; continue with: sbatch $(printf %q "$folder/slurm/job.sh")"
  exit 75
fi
sleep 600 # Slurm ends it
