"""The trained model that an export begins with: as it was trained, and ready to be traced."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch

from seqbench.errors import UserError
from seqbench.exporting.causal import CausalStep
from seqbench.exporting.causal_event_pursuit import CausalEventPursuit
from seqbench.exporting.causal_event_rnn import CausalEventRnn
from seqbench.exporting.graph import AXES, WholeModel
from seqbench.exporting.parity import Parity
from seqbench.exporting.stand_ins import prepare_for_tracing
from seqbench.models.event_pursuit import EventPursuitEncoder
from seqbench.models.event_rnn import EventRnnEncoder
from seqbench.prediction.predictor import model_files, read_predictor
from seqbench.storage.model_header import ModelHeader
from seqbench.storage.models import StoredModel
from seqbench.storage.onnx_model import FrameLayout, GraphRecord, OnnxModel
from seqbench.tasks.detection.head import DetectionHead
from seqbench.training.model import Model, load_model
from seqbench.training.reproducibility import prepare


@dataclass(frozen=True)
class Source:
    """A trained model to export.

    Parameters
    ----------
    path, header
        Its file.
    traceable
        Of windows, in operations that converters know.
    causal
        Of pieces of a recording, of a causal model; None of others.
    graph
        What input and output of an export are.
    parity
        Measures scores against those of the model as it was trained.
    """

    path: Path
    header: ModelHeader
    traceable: WholeModel
    causal: CausalStep | None
    graph: GraphRecord
    parity: Parity

    @classmethod
    def read(cls, model: Path) -> "Source":
        """Read a `model.safetensors`, or the one in a folder, to compute on one core.

        Raises
        ------
        UserError
            If it has no export.
        """
        path, stored = one_model(model)
        header = stored.header
        network = load_model(stored, path)
        prepare(1, torch.device("cpu"))
        trained = WholeModel(copy.deepcopy(network), header)
        prepare_for_tracing(network)
        traceable = WholeModel(network, header)
        causal = _causal(traceable)
        graph = _graph_record(network, header, causal)
        frames = graph.stream or graph.layout
        parity = Parity(trained, header, frames.hop_samples if frames else None)
        return cls(path, header, traceable, causal, graph, parity)


def one_model(path: Path) -> tuple[Path, StoredModel[ModelHeader]]:
    """Return the trained network that a path names.

    Raises
    ------
    UserError
        If it names several models, a baseline, or one that is exported already.
    """
    files = model_files(path)
    if len(files) > 1:
        raise UserError(f"{path}: holds {len(files)} models; name one, as {files[0]}")
    stored = read_predictor(files[0])
    if isinstance(stored, OnnxModel):
        raise UserError(f"{files[0]}: is exported already; name the model that was trained")
    header = stored.header
    if not isinstance(header, ModelHeader):
        raise UserError(
            f"{files[0]}: holds the baseline {header.baseline}, which is no network and has no"
            " export; seqbench predict uses it as it is"
        )
    return files[0], StoredModel(stored.arrays, header)


def _causal(whole: WholeModel) -> CausalStep | None:
    """Return a model that is called along recordings, if this is how it predicts them."""
    model = whole.model
    if model.encoder.look_ahead_samples is None or model.head.reads != "recordings":
        return None
    if whole.per_window:
        raise UserError(
            "normalization per_window needs whole windows, but a causal model reads a recording as"
            " it comes; train it with another normalization"
        )
    head, encoder = model.head, model.encoder
    if isinstance(head, DetectionHead):
        if isinstance(encoder, EventRnnEncoder):
            return CausalEventRnn(whole, head, encoder)
        if isinstance(encoder, EventPursuitEncoder):
            return CausalEventPursuit(whole, head, encoder)
    raise UserError(f"a causal {type(encoder).__name__} has no export")


def _graph_record(model: Model, header: ModelHeader, causal: CausalStep | None) -> GraphRecord:
    axes = AXES[header.sample]
    if model.head.reads != "recordings":
        return GraphRecord(axes=axes, reads=model.head.reads)
    if not isinstance(model.head, DetectionHead):
        raise UserError(f"models of {header.task} have no export")
    if causal is not None:
        return GraphRecord(
            axes=("recording", *axes[1:]),
            reads="recordings",
            n_values=model.head.n_values,
            stream=causal.record,
        )
    of_head = model.head.layout(header.window_samples)
    layout = FrameLayout(
        window_samples=of_head.window_samples,
        hop_samples=of_head.hop_samples,
        first_centre=of_head.first_centre,
        edge_samples=of_head.edge_samples,
    )
    return GraphRecord(axes=axes, reads="recordings", n_values=model.head.n_values, layout=layout)
