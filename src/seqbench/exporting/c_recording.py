"""What a C file of a causal model has beside its step: a recording, sample by sample."""

from seqbench.storage.onnx_model import StreamRecord

STEP = "seqbench_step"  # of the function that is generated
SIGNATURE = "int seqbench_push(struct seqbench_recording *, const float [{c}], float [{v}][{k}])"
RECORDING = """
/*
 * One recording, sample by sample:
 *
 *   struct seqbench_recording recording;
 *   float scores[{v}][{k}];
 *   seqbench_begin(&recording);
 *   for every sample: if (seqbench_push(&recording, sample, scores)) ... frame 0, 1, 2, ...
 *   while (seqbench_finish(&recording, scores)) ... the frames that are left
 *
 * Frame f stands for the samples around {first_centre:g} + f * {hop}: scores[0] is the presence of
 * each type of event, scores[1] its offset from there in samples{duration}.
 */
struct seqbench_recording {{
  float state[2][1][{n_state}], samples[1][{hop}][{c}], inside[1][{hop}][1];
  int32_t current, n_held, phase; /* state, samples of the piece, sample of the frame */
  int32_t n_to_skip, n_due; /* frames before the recording, frames that it began */
}};

void seqbench_begin(struct seqbench_recording *recording) {{
  memset(recording, 0, sizeof *recording);
  recording->n_held = {n_before};
  recording->n_to_skip = {delay};
}}

static int seqbench_piece(struct seqbench_recording *recording, float scores[{v}][{k}]) {{
  float found[1][1][{v}][{k}];
  const int32_t now = recording->current;
  {step}(recording->samples, recording->inside, recording->state[now], found,
    recording->state[1 - now]);
  recording->current = 1 - now;
  recording->n_held = 0;
  if (recording->n_to_skip > 0) {{
    recording->n_to_skip--;
    return 0;
  }}
  memcpy(scores, found, sizeof found);
  recording->n_due--;
  return 1;
}}

/* Take the next sample; return 1 and the scores of the next frame if it is complete, else 0. */
int seqbench_push(
    struct seqbench_recording *recording, const float sample[{c}], float scores[{v}][{k}]) {{
  memcpy(recording->samples[0][recording->n_held], sample, {c} * sizeof(float));
  recording->inside[0][recording->n_held][0] = 1;
  recording->n_held++;
  recording->n_due += recording->phase == 0;
  recording->phase = (recording->phase + 1) % {hop};
  return recording->n_held == {hop} ? seqbench_piece(recording, scores) : 0;
}}

/* Return 1 and the scores of the next frame that is left behind the last sample; 0: none is. */
int seqbench_finish(struct seqbench_recording *recording, float scores[{v}][{k}]) {{
  while (recording->n_due > 0) {{
    const int32_t n_outside = {hop} - recording->n_held;
    memset(recording->samples[0][recording->n_held], 0, n_outside * {c} * sizeof(float));
    memset(recording->inside[0][recording->n_held], 0, n_outside * sizeof(float));
    if (seqbench_piece(recording, scores)) return 1;
  }}
  return 0;
}}
"""
# Reads recordings; writes their scores, the seconds that one took, and the bytes that it keeps.
HARNESS = """\
#include <stdio.h>
#include <time.h>
#include "model.c"
static float samples[{n_samples}][{c}], scores[{v}][{k}];
static struct seqbench_recording recording;
int main(int n_arguments, char **arguments) {{
  FILE *in = fopen(arguments[1], "rb"), *out = fopen(arguments[2], "wb");
  clock_t begin, used = 0;
  long n = 0;
  while (fread(samples, sizeof samples, 1, in) == 1) {{
    begin = clock();
    seqbench_begin(&recording);
    for (int i = 0; i < {n_samples}; i++)
      if (seqbench_push(&recording, samples[i], scores)) fwrite(scores, sizeof scores, 1, out);
    while (seqbench_finish(&recording, scores)) fwrite(scores, sizeof scores, 1, out);
    used += clock() - begin;
    n++;
  }}
  fclose(out);
  printf("%.9g %zu", n ? (double)used / CLOCKS_PER_SEC / n : 0.0, sizeof recording);
  return 0;
}}
"""


def recording_code(
    record: StreamRecord, n_channels: int, n_types: int, n_values: int
) -> tuple[str, str]:
    """Return what stands behind the step in a C file, and its main function's signature."""
    code = RECORDING.format(
        c=n_channels,
        k=n_types,
        v=n_values,
        duration=", scores[2] its duration in samples" if n_values == 3 else "",
        hop=record.hop_samples,
        first_centre=record.first_centre,
        n_state=record.n_state,
        n_before=record.n_before,
        delay=record.delay_frames,
        step=STEP,
    )
    return code, SIGNATURE.format(c=n_channels, k=n_types, v=n_values)


def harness(n_samples: int, n_channels: int, n_types: int, n_values: int) -> str:
    """Return a program that feeds a C file recordings of one length; see `Program`."""
    return HARNESS.format(n_samples=n_samples, c=n_channels, k=n_types, v=n_values)
