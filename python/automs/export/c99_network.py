"""A network of a model -> the C99 source of its weights and of the function that evaluates it."""

from __future__ import annotations

from automs.export.c99_encoder import EncoderSource
from automs.export.c_text import array, double
from automs.export.model import Network

__all__ = ["helpers_of", "keeps_plain", "n_periodic", "network_source"]


def n_periodic(network: Network) -> int:
    """Give how many values a periodic embedding adds to the dense ones."""
    return 0 if network.periodic is None else int(network.periodic.biases.size)


def helpers_of(network: Network) -> set[str]:
    """Give the names of the helper functions that a network calls."""
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


def network_source(k: int, network: Network, encoder: EncoderSource) -> str:
    """Write the function that adds a network's values to `sums`."""
    tables, lines = _periodic(k, network, encoder.n_features)
    embedded = _embeddings(k, network, encoder.n_features + n_periodic(network))
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
    second += f", plain[{max(widths[:-1])}]" if keeps_plain(network) else ""
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


def keeps_plain(network: Network) -> bool:
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
