"""Names of helpers -> their C99 source, each with those that it calls."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["helper_sources"]

# NAME stands for the prefix of all names.
# -Wall refuses a static function that nobody calls, so a file gets only those that it needs.
_SOURCES = {
    "scaled": """\
/* (x - centre) * scale, bounded to +-1e9; with clip, smoothly to (-3, 3). Missing: 0. */
static float NAME_scaled(double x, double centre, double scale, int clip) {
  double z = (x - centre) * scale;
  if (x != x || scale == 0.0) return 0.0f;
  z = z > 1e9 ? 1e9 : z < -1e9 ? -1e9 : z;
  return (float)(clip ? z / sqrt(1.0 + (z / 3.0) * (z / 3.0)) : z);
}
""",
    "share": """\
/* How far x is from low to high, from 0 to 1. */
static double NAME_share(double x, double low, double high) {
  const double share = (x - low) / (high - low);
  return share > 1.0 ? 1.0 : share > 0.0 ? share : 0.0;
}
""",
    "piecewise": """\
static void NAME_piecewise(double x, const double *knots, unsigned long n_bins, float *out) {
  unsigned long b;
  for (b = 0; b < n_bins; ++b) {
    out[b] = x != x ? 0.0f : (float)(2.0 * NAME_share(x, knots[b], knots[b + 1]) - 1.0);
  }
}
""",
    "interpolated": """\
static float NAME_interpolated(double x, const double *knots, const double *values,
                               unsigned long n_knots) {
  unsigned long b = 0;
  if (x != x) return 0.0f;
  while (b + 2 < n_knots && x >= knots[b + 1]) ++b;
  return (float)(values[b] +
                 (values[b + 1] - values[b]) * NAME_share(x, knots[b], knots[b + 1]));
}
""",
    "place": """\
/* The place of a code in a table of all codes, then "missing", then "unknown". */
static unsigned long NAME_place(double x, unsigned long n_codes) {
  if (x != x) return n_codes;
  if (!(x >= 0.0 && x < (double)n_codes)) return n_codes + 1;
  return (double)(unsigned long)x == x ? (unsigned long)x : n_codes + 1;
}
""",
    "one_hot": """\
static void NAME_one_hot(unsigned long slot, unsigned long n_slots, float *out) {
  unsigned long i;
  for (i = 0; i < n_slots; ++i) out[i] = i == slot ? 1.0f : 0.0f;
}
""",
    "before_year": """\
/* Days before a year of the Gregorian calendar's cycle of 400, whose first is a leap year. */
static double NAME_before_year(double year) {
  return 365.0 * year + floor((year + 3.0) / 4.0) - floor((year + 99.0) / 100.0) +
         (year > 0.0 ? 1.0 : 0.0);
}
""",
    "share_of_year": """\
static double NAME_share_of_year(double day, double rest) {
  const double since_0000 = day + 719528.0; /* 1970 began that many days after the year 0 */
  const double day_of_cycle = since_0000 - 146097.0 * floor(since_0000 / 146097.0);
  double year = floor(day_of_cycle / 366.0), start, length;
  while (NAME_before_year(year + 1.0) <= day_of_cycle) year += 1.0;
  start = NAME_before_year(year);
  length = NAME_before_year(year + 1.0) - start;
  return (day_of_cycle - start + rest) / length;
}
""",
    "calendar": """\
/* cycle: 0 year, 1 week, 2 day; x: seconds since 1970. Sine and cosine of the share. */
static void NAME_calendar(double x, int cycle, float *out) {
  const double day = floor(x / 86400.0);
  const double rest = (x - day * 86400.0) / 86400.0;
  const double since_monday = day + 3.0; /* 1970 began on a Thursday */
  double share = rest;
  out[0] = out[1] = 0.0f;
  if (!(fabs(x) <= 1e14)) return;
  if (cycle == 0) share = NAME_share_of_year(day, rest);
  if (cycle == 1) share = (since_monday - 7.0 * floor(since_monday / 7.0) + rest) / 7.0;
  out[0] = (float)sin(6.283185307179586 * share);
  out[1] = (float)cos(6.283185307179586 * share);
}
""",
    "embed": """\
static void NAME_embed(const float *vectors, unsigned long row, unsigned long size, float *out) {
  unsigned long n;
  for (n = 0; n < size; ++n) out[n] = vectors[row * size + n];
}
""",
    "periodic": """\
/* out (n_outputs, n) = biases + the sum over frequencies of weight * cos(2 pi frequency x + phase);
   beyond 2^22 turns, where a float tells no share of one, the cosine is 1. */
static void NAME_periodic(const float *x, unsigned long n, const float *frequencies,
                          const float *weights, const float *phases, const float *biases,
                          unsigned long n_frequencies, unsigned long n_outputs, float *out) {
  unsigned long i, j, k;
  for (i = 0; i < n_outputs * n; ++i) out[i] = biases[i];
  for (k = 0; k < n_frequencies; ++k) {
    for (i = 0; i < n; ++i) {
      const float turns = frequencies[k * n + i] * x[i] + phases[k * n + i] * 0.15915494f;
      const float rest = fabsf(turns) < 4194304.0f ? turns - floorf(turns + 0.5f) : 0.0f;
      const float wave = cosf(6.28318531f * rest);
      for (j = 0; j < n_outputs; ++j) out[j * n + i] += weights[(k * n_outputs + j) * n + i] * wave;
    }
  }
}
""",
    "affine": """\
/* out = bias + x W, W being row-major (fan_in, fan_out). */
static void NAME_affine(const float *x, const float *weights, const float *bias,
                        unsigned long fan_in, unsigned long fan_out, float *out) {
  unsigned long k, n;
  for (n = 0; n < fan_out; ++n) out[n] = bias[n];
  for (k = 0; k < fan_in; ++k) {
    for (n = 0; n < fan_out; ++n) out[n] += x[k] * weights[k * fan_out + n];
  }
}
""",
    "blend": """\
/* f = x + (f - x) blend */
static void NAME_blend(float *f, const float *x, const float *blend, unsigned long size) {
  unsigned long n;
  for (n = 0; n < size; ++n) f[n] = x[n] + (f[n] - x[n]) * blend[n];
}
""",
    "add": """\
static void NAME_add(float *out, const float *x, unsigned long size) {
  unsigned long n;
  for (n = 0; n < size; ++n) out[n] += x[n];
}
""",
    "link_exp": """\
static void NAME_link_exp(double *values, unsigned long n) {
  unsigned long j;
  for (j = 0; j < n; ++j) values[j] = exp(values[j] > 88.0 ? 88.0 : values[j]);
}
""",
    "link_sigmoid": """\
static void NAME_link_sigmoid(double *values, unsigned long n) {
  unsigned long j;
  for (j = 0; j < n; ++j) values[j] = 1.0 / (1.0 + exp(-values[j]));
}
""",
    "link_softmax": """\
static void NAME_link_softmax(double *values, unsigned long n) {
  double largest = values[0], sum = 0.0;
  unsigned long j;
  for (j = 1; j < n; ++j) largest = values[j] > largest ? values[j] : largest;
  for (j = 0; j < n; ++j) sum += values[j] = exp(values[j] - largest);
  for (j = 0; j < n; ++j) values[j] /= sum;
}
""",
    "find": """\
static double NAME_find(const char *const *texts, unsigned long n, const char *text) {
  unsigned long code, i;
  for (code = 0; code < n; ++code) {
    if (!texts[code]) continue;
    for (i = 0; text[i] && text[i] == texts[code][i]; ++i) {
    }
    if (text[i] == texts[code][i]) return (double)code;
  }
  return -1.0;
}
""",
}

_ACTIVATIONS = {
    "relu": "x[n] = x[n] < 0.0f ? 0.0f : x[n];",
    "leaky_relu": "x[n] = x[n] > 0.0f ? x[n] : x[n] * 0.01f;",
    "tanh": "x[n] = tanhf(x[n]);",
    "sigmoid": "x[n] = 1.0f / (1.0f + expf(-x[n]));",
    "selu": """\
const float below = 1.6732632423543772f * expm1f(x[n] < 0.0f ? x[n] : 0.0f);
    x[n] = 1.0507009873554805f * (x[n] < 0.0f ? below : x[n]);""",
    "elu": "x[n] = x[n] < 0.0f ? expm1f(x[n]) : x[n];",
    "gelu": "x[n] *= 0.5f * (1.0f + erff(x[n] * 0.70710678118654752f));",
    "silu": "x[n] /= 1.0f + expf(-x[n]);",
    # tanh(log(1 + e)) = m / (m + 2) with m = e * (e + 2), e = exp(x)
    "mish": """\
const float e = expf(x[n] > 20.0f ? 20.0f : x[n]);
    x[n] *= e * (e + 2.0f) / (e * (e + 2.0f) + 2.0f);""",
}

_CALLS = {
    "piecewise": ("share",),
    "interpolated": ("share",),
    "share_of_year": ("before_year",),
    "calendar": ("share_of_year",),
}


def helper_sources(names: Iterable[str], prefix: str) -> list[str]:
    """Give the sources of helpers and of what they call, callees first."""
    wanted = set(names)
    while more := {callee for name in wanted for callee in _CALLS.get(name, ())} - wanted:
        wanted |= more
    sources = [source for name, source in _SOURCES.items() if name in wanted]
    sources += [_activation(name) for name in _ACTIVATIONS if name in wanted]
    return [source.replace("NAME", prefix) for source in sources]


def _activation(name: str) -> str:
    return (
        f"static void NAME_{name}(float *x, unsigned long size) {{\n  unsigned long n;\n"
        f"  for (n = 0; n < size; ++n) {{\n    {_ACTIVATIONS[name]}\n  }}\n}}\n"
    )
