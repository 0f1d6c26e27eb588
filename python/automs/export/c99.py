"""A model and a name -> the source of one C99 file with a function that predicts a raw row."""

from __future__ import annotations

from collections.abc import Sequence

from automs.export.c99_encoder import EncoderSource, encoder_source
from automs.export.c99_helpers import helper_sources
from automs.export.c_text import array, check_identifier, comment_text, double, text_literal
from automs.export.model import Model, Network

__all__ = ["c99_source"]

# In the texts below § stands for the function's name: no text of a model can hold it, as those
# are written in ASCII.

_MEANINGS = {
    "numeric": "a number",
    "categorical": "the code of a category, below; any other number means unknown",
    "date": "seconds since 1970-01-01T00:00 UTC",
}


def c99_source(model: Model, name: str = "automs_model") -> str:
    """Write the C99 source of a model.

    Parameters
    ----------
    model : Model
    name : str, default="automs_model"
        Of the function; every other name in the file begins with it.

    Returns
    -------
    str
        ASCII text. It needs ``<math.h>``, takes no memory but the stack, and keeps no state.

    Raises
    ------
    ValueError
        When `name` is no C identifier.
    """
    check_identifier(name)
    encoders = [encoder_source(e, parts) for e, parts in enumerate(model.encoders)]
    helpers = set().union(*(encoder.helpers for encoder in encoders))
    networks = [
        _network(k, network, encoders[network.encoder]) for k, network in enumerate(model.networks)
    ]
    for network in model.networks:
        helpers |= _helpers_of(network)
    body = [*(encoder.text for encoder in encoders), *networks, _predict(model, encoders)]
    if model.classes is not None:
        body.append(_label_index(model))
    if _has_categories(model):
        helpers.add("find")
        body.append(_category_code(model))
    head = [_head(model, encoders), "#include <math.h>\n"]
    return "\n".join([*head, *helper_sources(helpers, name), *body]).replace("§", name)


def _has_categories(model: Model) -> bool:
    return any(column["categories"] for column in model.columns)


def _head(model: Model, encoders: list[EncoderSource]) -> str:
    lines = [
        "A trained model in C99, written by automs: the code needs <math.h> alone.",
        "",
        "  void §(const double *row, double *out);",
        "",
        f"row has {model.n_columns} numbers, as below; NAN means missing, and none is infinite.",
        f"out gets {model.n_outputs}: {_outputs(model)}.",
        "Nothing is allocated and no state is kept: any number of threads may call it.",
        f"It takes about {_stack_bytes(model, encoders)} bytes of the stack.",
        "",
        "Columns of a row:",
    ]
    for j, column in enumerate(model.columns):
        title = "" if model.column_names is None else f" {comment_text(model.column_names[j])}"
        lines.append(f"  {j}{title}: {_MEANINGS[column['kind']]}")
        lines += [f"    {c} = {comment_text(text)}" for c, text in enumerate(column["categories"])]
    if model.classes is not None:
        lines += [
            "",
            "  unsigned long §_label(const double *out);",
            "",
            "gives the place of the predicted class among those named above, for what § wrote.",
        ]
    if _has_categories(model):
        lines += [
            "",
            "  double §_category_code(unsigned long column, const char *text);",
            "",
            "gives the code of a category's text (UTF-8), or -1, which means unknown.",
            "Texts with a zero byte, or longer than 4095 bytes, are not found by it.",
        ]
    return "/*\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */"


def _outputs(model: Model) -> str:
    if model.classes is not None:
        return f"the probabilities of the classes {_listed(model.classes)}"
    names = model.target_names
    return f"the predictions of {_listed(names)}" if names else "the predictions"


def _listed(values: Sequence[object]) -> str:
    return ", ".join(comment_text(v) if isinstance(v, str) else str(v) for v in values)


def _room(model: Model, encoder: EncoderSource) -> int:
    """Give the size of an encoder's buffer: features, then what a network's embeddings give."""
    vectors = [
        sum(table.shape[1] for table in network.embeddings) + _n_periodic(network)
        for network in model.networks
        if network.encoder == encoder.number
    ]
    return encoder.n_features + max(vectors, default=0) or 1


def _n_periodic(network: Network) -> int:
    return 0 if network.periodic is None else int(network.periodic.biases.size)


def _stack_bytes(model: Model, encoders: list[EncoderSource]) -> int:
    rooms = sum(4 * _room(model, encoder) + 8 * encoder.n_codes for encoder in encoders)
    widths = [
        (12 if _keeps_plain(network) else 8) * max(map(len, network.biases))
        for network in model.networks
    ]
    return rooms + max(widths) + 8 * model.n_outputs + 256


def _helpers_of(network: Network) -> set[str]:
    helpers = {"affine"}
    is_deep = len(network.weights) > 1
    if is_deep and network.activation != "identity":
        helpers |= {network.activation, "blend"} if network.blends else {network.activation}
    if network.link != "identity":
        helpers.add(f"link_{network.link}")
    if any(network.adds_input(i) for i in range(len(network.weights))):
        helpers.add("add")
    if network.periodic is not None:
        helpers.add("periodic")
    if network.embeddings:
        helpers.add("embed")
    return helpers


def _network(k: int, network: Network, encoder: EncoderSource) -> str:
    """Write the function that adds a network's values to `sums`."""
    tables, lines = _periodic(k, network, encoder.n_features)
    embedded = _embeddings(k, network, encoder.n_features + _n_periodic(network))
    tables, lines = tables + embedded[0], lines + embedded[1]
    source = "dense"
    for i, (weights, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        fan_in, fan_out = weights.shape
        target = "second" if i % 2 else "first"
        names = f"§_weights_{k}_{i}", f"§_bias_{k}_{i}"
        tables += [array("float", names[0], weights), array("float", names[1], bias)]
        lines.append(f"§_affine({source}, {', '.join(names)}, {fan_in}, {fan_out}, {target});")
        if i + 1 < len(network.weights) and network.activation != "identity":
            more, calls = _activated(k, i, network, target)
            tables += more
            lines += calls
        if network.adds_input(i):
            lines.append(f"§_add({target}, {source}, {fan_out});")
        source = target
    tables += [
        array("double", f"§_output_centre_{k}", network.output_centre),
        array("double", f"§_output_scale_{k}", network.output_scale),
    ]
    if network.output_low is not None and network.output_high is not None:
        tables.append(array("double", f"§_output_low_{k}", network.output_low))
        tables.append(array("double", f"§_output_high_{k}", network.output_high))
    lines += _ending(k, network, source)
    widths = [len(bias) for bias in network.biases]
    second = f", second[{max(widths[1::2])}]" if len(widths) > 1 else ""
    second += f", plain[{max(widths[:-1])}]" if _keeps_plain(network) else ""
    body = "".join(f"  {line}\n" for line in lines)
    writes = network.embeddings or network.periodic is not None
    inputs = "float *dense" if writes else "const float *dense"
    if network.embeddings:
        inputs += ", const unsigned long *codes"
    return (
        f"{''.join(tables)}static void §_network_{k}({inputs}, double *sums) {{\n"
        f"  float first[{max(widths[0::2])}]{second};\n"
        f"  double values[{network.n_logits}];\n  unsigned long j;\n{body}}}\n"
    )


def _keeps_plain(network: Network) -> bool:
    """Whether a layer's pre-activations are needed beside its activations."""
    return bool(network.blends) and network.activation != "identity"


def _activated(k: int, i: int, network: Network, target: str) -> tuple[list[str], list[str]]:
    """Write the table and the calls that turn a layer's sums into its activations."""
    fan_out = len(network.biases[i])
    call = f"§_{network.activation}({target}, {fan_out});"
    if not network.blends:
        return [], [call]
    name = f"§_blend_{k}_{i}"
    lines = [
        f"for (j = 0; j < {fan_out}; ++j) plain[j] = {target}[j];",
        call,
        f"§_blend({target}, plain, {name}, {fan_out});",
    ]
    return [array("float", name, network.blends[i])], lines


def _ending(k: int, network: Network, source: str) -> list[str]:
    """Write what follows the last layer: link, centre and scale, and the ensemble's weight."""
    n = network.n_logits
    link = [] if network.link == "identity" else [f"§_link_{network.link}(values, {n});"]
    value = f"§_output_centre_{k}[j] + §_output_scale_{k}[j] * values[j]"
    bounds = []
    if network.output_low is not None:
        bounds = [
            f"  values[j] = {value};",
            f"  if (values[j] < §_output_low_{k}[j]) values[j] = §_output_low_{k}[j];",
            f"  if (values[j] > §_output_high_{k}[j]) values[j] = §_output_high_{k}[j];",
        ]
        value = "values[j]"
    return [
        f"for (j = 0; j < {n}; ++j) values[j] = (double){source}[j];",
        *link,
        f"for (j = 0; j < {n}; ++j) {{",
        *bounds,
        f"  sums[j] += {double(network.weight)} * ({value});",
        "}",
    ]


def _periodic(k: int, network: Network, at: int) -> tuple[list[str], list[str]]:
    periodic = network.periodic
    if periodic is None:
        return [], []
    names = [f"§_{name}_{k}" for name in ("frequencies", "waves", "phases", "shifts")]
    arrays = (periodic.frequencies, periodic.weights, periodic.phases, periodic.biases)
    tables = [array("float", name, values) for name, values in zip(names, arrays, strict=True)]
    n_frequencies, n_outputs, n = periodic.weights.shape
    sizes = f"{n_frequencies}, {n_outputs}"
    return tables, [f"§_periodic(dense, {n}, {', '.join(names)}, {sizes}, dense + {at});"]


def _embeddings(k: int, network: Network, at: int) -> tuple[list[str], list[str]]:
    tables, lines = [], []
    for i, table in enumerate(network.embeddings):
        name, size = f"§_vectors_{k}_{i}", table.shape[1]
        tables.append(array("float", name, table))
        lines.append(f"§_embed({name}, codes[{i}], {size}, dense + {at});")
        at += size
    return tables, lines


def _predict(model: Model, encoders: list[EncoderSource]) -> str:
    lines = []
    for encoder in encoders:
        e = encoder.number
        lines.append(f"float dense_{e}[{_room(model, encoder)}];")
        if encoder.n_codes:
            lines.append(f"unsigned long codes_{e}[{encoder.n_codes}];")
    lines.append("unsigned long j;")
    for encoder in encoders:
        e = encoder.number
        lines.append(f"§_encode_{e}({encoder.arguments('row', f'dense_{e}', f'codes_{e}')});")
    lines.append(f"for (j = 0; j < {model.n_outputs}; ++j) out[j] = 0.0;")
    # A binary network has one value, the probability of the second class.
    sums = "out + 1" if model.task == "binary" else "out"
    for k, network in enumerate(model.networks):
        codes = f"codes_{network.encoder}, " if network.embeddings else ""
        lines.append(f"§_network_{k}(dense_{network.encoder}, {codes}{sums});")
    if model.task == "binary":
        lines.append("out[0] = 1.0 - out[1];")
    body = "".join(f"  {line}\n" for line in lines)
    signature = "void §(const double *row, double *out)"
    # A prototype first, for compilers that are told to ask for one.
    return f"{signature};\n{signature} {{\n{body}}}\n"


def _label_index(model: Model) -> str:
    """Write the function that chooses a label."""
    n = model.n_outputs
    factors, value = "", "out[j]"
    if model.label_factors is not None:
        factors = array("double", "§_label_factors", model.label_factors)
        value = "out[j] * §_label_factors[j]"
    signature = "unsigned long §_label(const double *out)"
    best = value.replace("[j]", "[best]")
    return (
        f"{factors}{signature};\n{signature} {{\n  unsigned long best = 0, j;\n"
        f"  for (j = 1; j < {n}; ++j) {{\n    if ({value} > {best}) best = j;\n  }}\n"
        "  return best;\n}\n"
    )


def _category_code(model: Model) -> str:
    tables, cases = [], []
    for j, column in enumerate(model.columns):
        texts = column["categories"]
        if not texts:
            continue
        literals = "".join(f"    {text_literal(text) or '0'},\n" for text in texts)
        table = f"§_texts_{j}"
        tables.append(f"static const char *const {table}[{len(texts)}] = {{\n{literals}}};\n")
        cases.append(f"    case {j}:\n      return §_find({table}, {len(texts)}, text);\n")
    signature = "double §_category_code(unsigned long column, const char *text)"
    return (
        f"{''.join(tables)}{signature};\n{signature} {{\n  switch (column) {{\n{''.join(cases)}"
        "    default:\n      return -1.0;\n  }\n}\n"
    )
