"""The snippets of the event classifier's description, unchanged.

Only the name of the package and what the description leaves open (``...``,
data, sizes where it states none) are filled in.
"""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from seqbench.errors import UserError
from seqbench.library.data import (
    ContrastiveDataset,
    EventDataset,
    UnsupervisedDataset,
    collate_fn_contrastive,
    collate_fn_supervised,
)
from seqbench.library.models import (
    ContrastiveLSTM,
    EventSpecificClassifier,
    EventSpecificCNN,
    EventSpecificTimingHeads,
    EventTemplateBank,
    LSTMAutoencoder,
    LSTMEventClassifier,
    TemporalAugmentation,
)
from seqbench.library.training import (
    AutoencoderLoss,
    ContrastiveTrainer,
    EventSpecificLoss,
    EventTimingLoss,
    SupervisedTrainer,
    UnsupervisedTrainer,
)
from seqbench.library.utils import (
    RefractoryPeriodEnforcer,
    detect_events_from_sequence,
    visualize_learned_templates,
)

N, T = 4, 100


@pytest.fixture
def data():
    """Data, labels and times in the format of the description."""
    generator = np.random.default_rng(0)
    return (
        generator.normal(size=(N, T, 6)).astype(np.float32),
        generator.integers(0, 2, (N, 16)).astype(np.float32),
        generator.integers(0, T // 10, (N, 16)).astype(np.float32) * 10,
    )


def test_quick_start_supervised_training(data):
    data, event_labels, event_timings = data
    model = LSTMEventClassifier(
        input_size=6, hidden_size=128, num_layers=2, num_events=16, dropout=0.3, bidirectional=True
    )
    dataset = EventDataset(data, event_labels, event_timings)
    train_loader = DataLoader(dataset, batch_size=32, collate_fn=collate_fn_supervised)
    loss_fn = EventTimingLoss(event_weight=1.0, timing_weight=1.0, refractory_weight=0.1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    trainer = SupervisedTrainer(model, loss_fn, optimizer)
    history = trainer.fit(train_loader, num_epochs=2)

    assert history[1]["train_total"] < history[0]["train_total"]


def test_unsupervised_pretraining(data):
    autoencoder = LSTMAutoencoder(input_size=6, hidden_size=128, num_layers=2, latent_size=64)

    dataset = UnsupervisedDataset(data[0])
    train_loader = DataLoader(dataset, batch_size=32)

    loss_fn = AutoencoderLoss()
    optimizer = torch.optim.Adam(autoencoder.parameters(), lr=1e-3)

    trainer = UnsupervisedTrainer(autoencoder, loss_fn, optimizer)
    trainer.fit(train_loader, num_epochs=1)

    classifier = LSTMEventClassifier(input_size=6, hidden_size=128, num_layers=2)
    autoencoder.transfer_encoder_to_classifier(classifier)

    assert_same_encoder(autoencoder, classifier)


def test_contrastive_learning_pretraining(data):
    model = ContrastiveLSTM(input_size=6, hidden_size=128, projection_size=64)

    dataset = ContrastiveDataset(data[0], augmentation=TemporalAugmentation.random_augment)
    train_loader = DataLoader(dataset, batch_size=32, collate_fn=collate_fn_contrastive)

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    trainer = ContrastiveTrainer(model, optimizer)
    trainer.fit(train_loader, num_epochs=1)

    classifier = LSTMEventClassifier(input_size=6, hidden_size=128)
    model.transfer_encoder_to_classifier(classifier)

    assert_same_encoder(model, classifier)


def assert_same_encoder(pretrained, classifier):
    theirs = classifier.encoder.state_dict()
    for name, tensor in pretrained.encoder.state_dict().items():
        assert torch.equal(tensor, theirs[name]), name


def test_inference_from_a_checkpoint(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = LSTMEventClassifier(hidden_size=8)
    optimizer = torch.optim.Adam(model.parameters())
    train_loader = DataLoader(EventDataset(*data), collate_fn=collate_fn_supervised)
    SupervisedTrainer(model, EventTimingLoss(), optimizer).fit(
        train_loader, num_epochs=1, save_dir="checkpoints"
    )

    model = LSTMEventClassifier(hidden_size=8)
    checkpoint = torch.load("checkpoints/best_model.pth")
    model.load_state_dict(checkpoint["model_state_dict"])

    sequence = np.random.default_rng(0).standard_normal((2000, 6))
    results = detect_events_from_sequence(
        model=model, sequence=sequence, threshold=0.5, apply_refractory=True
    )

    for name in ("detected_events", "event_timings", "event_probs"):
        assert isinstance(results[name], np.ndarray)
        assert results[name].shape == (16,)
    detected = results["detected_events"] == 1
    assert (detected == (results["event_probs"] >= 0.5)).all()
    assert (results["event_timings"][~detected] == 0).all()
    assert ((results["event_timings"] >= 0) & (results["event_timings"] < 2000)).all()


def test_a_sequence_of_another_shape_is_refused():
    with pytest.raises(UserError, match=r"\(samples, channels\), this one has shape \(2, 5, 6\)"):
        detect_events_from_sequence(LSTMEventClassifier(hidden_size=8), np.zeros((2, 5, 6)))


def test_event_template_bank():
    template_bank = EventTemplateBank(num_events=16, num_features=6, template_length=80)
    x = torch.randn(2, T, 6)

    template_scores = template_bank(x)

    assert template_scores.shape == (2, T, 16)
    assert template_bank.templates.shape == (16, 6, 80)
    assert template_bank.onset_delays.shape == (16, 6)


def test_event_specific_cnn():
    event_cnn = EventSpecificCNN(
        num_events=16, input_channels=6, output_channels=32, use_shared=True
    )
    x = torch.randn(2, T, 6)

    event_features, shared_features = event_cnn(x)

    assert event_features.shape == (2, T, 16, 32)
    assert shared_features.shape == (2, T, 32)


def test_event_specific_timing_heads():
    timing_heads = EventSpecificTimingHeads(num_events=16, hidden_size=128, dropout=0.2)
    lstm_features, event_mask = torch.randn(2, T, 128), torch.randint(0, 2, (2, 16))

    timing_logits = timing_heads(lstm_features, event_mask)

    assert timing_logits.shape == (2, T, 16)


def test_event_specific_classifier_and_its_loss(data):
    x, event_labels, event_timings = (torch.from_numpy(array) for array in data)
    lengths = torch.tensor([T, T, T, T])
    model = EventSpecificClassifier(
        input_size=6,
        hidden_size=128,
        num_layers=2,
        num_events=16,
        dropout=0.3,
        template_length=80,
        bidirectional=True,
    )

    event_logits, timing_logits, template_scores = model(x, lengths)

    criterion = EventSpecificLoss(
        event_weight=1.0, timing_weight=1.0, template_weight=0.5, refractory_weight=0.1
    )
    loss_dict = criterion(
        event_logits, timing_logits, template_scores,
        event_labels, event_timings
    )  # fmt: skip

    assert event_logits.shape == (N, 16)
    assert timing_logits.shape == template_scores.shape == (N, T, 16)
    assert loss_dict["total"].isfinite()


def test_template_visualization_draws_every_type_with_its_delays(tmp_path):
    model = EventSpecificClassifier(hidden_size=4, num_layers=1, num_events=5)
    with torch.no_grad():
        model.template_bank.onset_delays[3, 2] = 4.0

    figure = visualize_learned_templates(model, save_path=tmp_path / "new" / "templates.png")

    assert (tmp_path / "new" / "templates.png").read_bytes().startswith(b"\x89PNG")
    assert figure.axes[0].get_gridspec().get_geometry() == (2, 4)
    assert [len([*axes.lines]) for axes in figure.axes] == 5 * [6 + 1] + 3 * [0]
    line = figure.axes[3].lines[2]
    assert line.get_label() == "F2"
    np.testing.assert_allclose(line.get_xdata(), np.arange(-10, 90))
    np.testing.assert_allclose(line.get_ydata(), model.template_bank.delayed()[3, 2].detach())


def test_refractory_period_enforcement():
    model = LSTMEventClassifier(hidden_size=8).eval()
    sequences = np.random.default_rng(0).standard_normal((3, 200, 6))
    enforcer = RefractoryPeriodEnforcer(num_events=16, refractory_period_samples=4000)
    n_kept = np.zeros(16)
    current_time = 0

    for sequence in sequences:
        results = detect_events_from_sequence(model, sequence, threshold=0.0)
        filtered_events, filtered_timings = enforcer.enforce(
            results["detected_events"],
            results["event_timings"],
            global_offset=current_time,
        )
        current_time += len(sequence)
        n_kept += filtered_events
        assert (filtered_timings[filtered_events == 0] == 0).all()

    assert (n_kept == 1).all()  # all of 600 samples lie within one period


# The data format.


def test_windows_of_unequal_lengths_are_padded_in_a_batch():
    windows = [np.ones((length, 2)) for length in (5, 3)]
    dataset = EventDataset(windows, [[1, 0], [0, 1]], [[4, -7], [np.nan, 2]])

    batch = collate_fn_supervised([dataset[0], dataset[1]])

    assert batch["input"].shape == (2, 5, 2)
    assert batch["input"].sum(dim=(1, 2)).tolist() == [10, 6]
    assert batch["lengths"].tolist() == [5, 3]
    assert batch["event_labels"].tolist() == [[1, 0], [0, 1]]
    assert batch["event_timings"].shape == (2, 2)


def test_windows_without_labels_have_only_an_input():
    assert set(EventDataset(np.zeros((2, 5, 3)))[1]) == {"input"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": np.zeros((2, 5))}, r"window 0 has shape \(5,\); a window is"),
        ({"data": [np.zeros((5, 3)), np.zeros((5, 2))]}, "window 1 has 2 channels, window 0 has 3"),
        ({"event_timings": None}, "give both or neither"),
        ({"event_labels": np.zeros((3, 2))}, r"shapes \(3, 2\) and \(2, 2\); 2 windows need"),
        ({"event_timings": np.zeros((2, 3))}, r"shapes \(2, 2\) and \(2, 3\); 2 windows need"),
        ({"event_labels": np.full((2, 2), 0.5)}, "event_labels must be 0 or 1"),
        (
            {"event_timings": [[0, 0], [0, 5]]},
            r"event_timings\[1, 1\] is 5, outside its window of 5 samples",
        ),
        ({"event_timings": [[np.nan, 0], [0, 0]]}, r"event_timings\[0, 0\] is nan"),
    ],
)
def test_data_of_another_format_is_refused_in_one_sentence(changes, message):
    values = {
        "data": np.zeros((2, 5, 3)),
        "event_labels": np.ones((2, 2)),
        "event_timings": np.zeros((2, 2)),
    }

    with pytest.raises(UserError, match=message):
        EventDataset(**values | changes)
