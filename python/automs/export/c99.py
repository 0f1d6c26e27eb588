"""A model and a name -> the source of one C99 file with a function that predicts a raw row."""

from __future__ import annotations

from collections.abc import Sequence

from automs.export.c99_encoder import EncoderSource, encoder_source
from automs.export.c99_helpers import helper_sources
from automs.export.c99_network import helpers_of, keeps_plain, n_periodic, network_source
from automs.export.c_text import array, check_identifier, comment_text, text_literal
from automs.export.model import Model

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
        network_source(k, network, encoders[network.encoder])
        for k, network in enumerate(model.networks)
    ]
    for network in model.networks:
        helpers |= helpers_of(network)
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
        sum(table.shape[1] for table in network.embeddings) + n_periodic(network)
        for network in model.networks
        if network.encoder == encoder.number
    ]
    return encoder.n_features + max(vectors, default=0) or 1


def _stack_bytes(model: Model, encoders: list[EncoderSource]) -> int:
    rooms = sum(4 * _room(model, encoder) + 8 * encoder.n_codes for encoder in encoders)
    widths = [
        (12 if keeps_plain(network) else 8) * max(map(len, network.biases))
        for network in model.networks
    ]
    return rooms + max(widths) + 8 * model.n_outputs + 256


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
