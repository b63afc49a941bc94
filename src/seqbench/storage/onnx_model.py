"""Exported models: ONNX with the header of the model in its metadata; reading one runs nothing.

What stands in the file is checked before ONNX Runtime sees it: no data outside of
the file, no arrays larger than the file, no functions or operators but those that
exports have.
"""

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from seqbench.errors import DamagedError, FormatError, UserError, one_line
from seqbench.extras import install
from seqbench.storage.atomic import replacing
from seqbench.storage.kinds import first_block
from seqbench.storage.model_header import BaselineHeader, ModelHeader, parse_header
from seqbench.storage.records import Record

FORMAT = "seqbench onnx 1"
SUFFIX = ".onnx"
INPUT, OUTPUT = "windows", "scores"
STEP_INPUTS, STEP_OUTPUTS = ("samples", "inside", "state"), (OUTPUT, "next_state")
MAX_STATE = 1 << 24  # numbers
MAX_BYTES = 1 << 30
MAX_REASON = 300  # characters of a foreign error in a message
OPSET = 17
NO_DIGEST = "0" * 64
# Standard operators that exports have, each a function of numbers alone.
_NAMES = """
    Abs Add And ArgMax AveragePool BatchNormalization Cast Clip Concat Constant ConstantOfShape
    Conv ConvInteger ConvTranspose Cos CumSum DepthToSpace DequantizeLinear Div
    DynamicQuantizeLinear Einsum Equal Erf Exp Expand Flatten GRU Gather GatherElements Gemm Greater
    GreaterOrEqual Identity LSTM LayerNormalization Less LessOrEqual Log MatMul MatMulInteger Max
    MaxPool Min Mod Mul Neg Not Or Pad Pow QuantizeLinear RNN Range Reciprocal ReduceMax
    ReduceMean ReduceSum Relu Reshape Shape Sigmoid Sin Slice Softmax SpaceToDepth Split Sqrt
    Squeeze Sub Tanh TopK Transpose Trilu Unsqueeze Where
"""
OPERATORS = frozenset(_NAMES.split())
OF_RUNTIME = frozenset({"DynamicQuantizeLSTM"})  # of ONNX Runtime, for models of 8-bit numbers
DOMAINS = {"": OPERATORS, "ai.onnx": OPERATORS, "com.microsoft": OF_RUNTIME}
Side = Annotated[int, Field(ge=1, lt=2**31)]


class FrameLayout(Record):
    """Where the frames of a detection model lie; see `seqbench.tasks.detection.stitching`."""

    window_samples: Side
    hop_samples: Side
    first_centre: Annotated[float, Field(ge=0, le=1e9)]
    edge_samples: Annotated[int, Field(ge=0, lt=2**31)] = 0


class StreamRecord(Record):
    """How a causal model is called along a recording, with pieces of whole hops.

    Attributes
    ----------
    hop_samples, first_centre
        Frame f stands for the samples around ``first_centre + f * hop_samples``.
    n_together
        Frames that come together: a piece has a multiple of so many hops.
    n_before
        Samples of the first piece that come before the recording, fewer than the least piece.
    n_warm_up
        Hops before the first frame reaches the recurrence; a call may end there, and
        must not go past it.
    delay_frames
        Frames that come before the first one of the recording, and mean nothing.
    n_state
        Numbers of the state, (1, N); zeros are the start of a recording.
    """

    hop_samples: Side
    first_centre: Annotated[float, Field(ge=0, le=1e9)]
    n_together: Annotated[int, Field(ge=1, le=2**10)] = 1
    n_before: Annotated[int, Field(ge=0, lt=2**31)]
    n_warm_up: Annotated[int, Field(ge=0, le=2**20)]
    delay_frames: Annotated[int, Field(ge=0, le=2**20)]
    n_state: Annotated[int, Field(ge=1, le=MAX_STATE)]

    @property
    def piece_samples(self) -> int:
        """Samples of the least piece."""
        return self.n_together * self.hop_samples

    @model_validator(mode="after")
    def _check_pieces(self) -> Self:
        if self.n_before >= self.piece_samples or self.n_warm_up > self.delay_frames:
            raise ValueError("the first frames of a stream come before its first piece")
        if self.delay_frames % self.n_together or (self.n_warm_up and self.n_together > 1):
            raise ValueError("the first frames of a stream lie within a piece")
        if self.hop_samples * (self.delay_frames + 1) > MAX_STATE:
            raise ValueError("the frames of a stream come too late")
        return self


class GraphRecord(Record):
    """What the input and output of an exported model are.

    Attributes
    ----------
    axes
        Of the input `windows`, float32 or int64 in the units of the recordings.
    reads
        Whether the output `scores` is of windows, of their samples, or of frames
        of recordings: presence and offset in samples, (B, F, 2, K).
    n_values
        Numbers of a frame and type: presence and offset, or with the duration in samples 3.
    are_probabilities
        Whether scores are probabilities.
    window_samples
        The one length of windows that the graph takes; None: any.
    layout
        Of frames in windows; None where there are none.
    stream
        Of a causal model, which takes pieces of a recording and a state; None: windows.
    quantized
        Kind of numbers that weights were rounded to; None: as trained.
    parity
        Largest difference of a score from that of the trained model; values in units
        in standard deviations of train, offsets of events in frames, durations as fractions.
    measured_on
        Windows that it was measured on.
    """

    axes: tuple[str, ...]
    reads: Literal["windows", "samples", "recordings"]
    n_values: Literal[2, 3] = 2
    are_probabilities: bool = True
    window_samples: Side | None = None
    layout: FrameLayout | None = None
    stream: StreamRecord | None = None
    quantized: Literal["int8"] | None = None
    parity: Annotated[float, Field(ge=0)] | None = None
    measured_on: Literal["test", "random"] = "random"


@dataclass(frozen=True)
class OnnxModel:
    """The bytes of a checked file, with the header of the model and what the graph is."""

    data: bytes
    header: ModelHeader | BaselineHeader
    graph: GraphRecord


def is_onnx(path: Path) -> bool:
    """Return whether a file is an exported model, by its name."""
    return path.suffix.lower() == SUFFIX


def write_onnx(path: Path, proto: Any, header: Record, graph: GraphRecord) -> int:
    """Write an exported model atomically, return its bytes.

    Parameters
    ----------
    path
        The file.
    proto
        An `onnx.ModelProto`; its metadata is replaced.
    header, graph
        Stored beside it.
    """
    data = sealed(proto, header, graph)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return len(data)


def sealed(proto: Any, header: Record, graph: GraphRecord) -> bytes:
    """Return the bytes of a file; see `write_onnx`."""
    del proto.metadata_props[:]
    for key, value in (
        ("format", FORMAT),
        ("header", header.model_dump_json()),
        ("graph", graph.model_dump_json()),
        ("digest", NO_DIGEST),
    ):
        proto.metadata_props.add(key=key, value=value)
    data = proto.SerializeToString(deterministic=True)
    return _with_digest(data, NO_DIGEST, hashlib.sha256(data).hexdigest())


def read_onnx(path: Path) -> OnnxModel:
    """Read and check what `write_onnx` wrote; nothing of it is run.

    Raises
    ------
    FormatError
        If the file is missing, too large, damaged, of other software, or holds what no
        export has; the sentence names it.
    """
    first_block(path, "model")
    if (n_bytes := path.stat().st_size) > MAX_BYTES:
        raise FormatError(f"{path}: has {n_bytes} bytes, and an exported model at most {MAX_BYTES}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from None
    messages = _messages()
    proto = messages.ModelProto()
    try:
        proto.ParseFromString(data)
    except Exception:  # what protobuf raises differs by its backend
        raise DamagedError(f"{path}: damaged, it is no ONNX file") from None
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    if metadata.get("format") != FORMAT:
        held = one_line(metadata.get("format", ""))[:MAX_REASON] or "a model of other software"
        raise FormatError(f"{path}: holds {held}, not {FORMAT}; make it by seqbench export")
    stated = metadata.get("digest", "")
    if len(stated) != len(NO_DIGEST) or stated != _digest(data, stated):
        raise DamagedError(f"{path}: damaged, its digest does not fit")
    try:
        header = parse_header(metadata["header"])
        if not isinstance(header, ModelHeader | BaselineHeader):
            raise ValueError(f"it holds an {header.kind} without a head")
        graph = GraphRecord.parse(metadata["graph"])
        _check(proto, messages, len(data), is_step=graph.stream is not None)
    except (KeyError, ValueError, RecursionError) as error:
        reason = one_line(str(error))[:MAX_REASON]
        raise FormatError(f"{path}: is no model of seqbench export ({reason})") from None
    return OnnxModel(data, header, graph)


def _digest(data: bytes, stated: str) -> str:
    return hashlib.sha256(_with_digest(data, stated, NO_DIGEST)).hexdigest()


def _with_digest(data: bytes, old: str, new: str) -> bytes:
    """Return a file with another digest; metadata stands behind the graph."""
    at = data.rfind(old.encode())
    return data[:at] + new.encode() + data[at + len(old) :]


def _check(proto: Any, messages: ModuleType, n_bytes: int, *, is_step: bool) -> None:
    """Refuse what no export has.

    Raises
    ------
    ValueError
        If there is any.
    """
    if proto.functions or proto.training_info:
        raise ValueError("it defines functions of its own")
    if strange := {entry.domain for entry in proto.opset_import} - DOMAINS.keys():
        raise ValueError(f"it uses operators of {min(strange)}")
    graph = proto.graph
    if graph.sparse_initializer or graph.quantization_annotation:
        raise ValueError("it has sparse arrays")
    for node in graph.node:
        if node.op_type not in DOMAINS.get(node.domain, ()):
            raise ValueError(f"it has the operator {node.domain}:{node.op_type}".replace(" :", " "))
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs or attribute.ref_attr_name:
                raise ValueError(f"the operator {node.op_type} holds a graph")
    for tensor in _tensors(graph):
        _check_tensor(tensor, messages, n_bytes)
    expected = (STEP_INPUTS, STEP_OUTPUTS) if is_step else ((INPUT,), (OUTPUT,))
    for kind, side, names in zip(
        ("input", "output"), (graph.input, graph.output), expected, strict=True
    ):
        if (found := tuple(one.name for one in side)) != names:
            raise ValueError(f"it has the {kind}s {found}, not {names}")


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
                raise ValueError("it has sparse arrays")
            yield from attribute.tensors
            if attribute.HasField("t"):
                yield attribute.t


def _check_tensor(tensor: Any, messages: ModuleType, n_bytes: int) -> None:
    name = one_line(tensor.name)[:MAX_REASON]
    if tensor.external_data or tensor.data_location != messages.TensorProto.DEFAULT:
        raise ValueError(f"the array '{name}' is in another file")
    if any(side < 0 for side in tensor.dims) or _product(tensor.dims) > 8 * n_bytes:
        raise ValueError(f"the array '{name}' is larger than the file")


def _product(sides: Iterable[int]) -> int:
    product = 1
    for side in sides:
        product *= int(side)
    return product


@cache
def _messages() -> ModuleType:
    """Return the messages of ONNX files alone: the package imports much that reading needs not."""
    found = importlib.util.find_spec("onnx")
    if found is None or found.origin is None:
        raise missing("onnx")
    name = "onnx.onnx_ml_pb2"
    spec = importlib.util.spec_from_file_location(
        name, Path(found.origin).with_name("onnx_ml_pb2.py")
    )
    if spec is None or spec.loader is None:
        raise missing("onnx")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def missing(package: str) -> UserError:
    """Return the error of a package of the extra that is not installed."""
    return UserError(
        f"exported models need the package {package}, which is missing; {install(package)}"
    )
