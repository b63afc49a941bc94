"""Rain over Finland as weather radars see it: 40 frames, one every five minutes.

Composite of the Finnish Meteorological Institute, 9 May 2017, 10:45 to 14:00
UTC: lowest elevation, 760 x 1226 pixels of 1 km. Open data of FMI, CC BY 4.0,
as the example data of pySTEPS mirror them; 5 MB.

A byte v is (v - 64) / 2 dBZ, and 255 where no radar reaches. Byte 0 is no
echo at all, at -32 dBZ, far below the drizzle that counts as the
least rain; between the two lies noise.
"""

import gzip
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqbench.config.options import Count
from seqbench.config.registry import DATASETS
from seqbench.datasets.base import DataError, explained, fault
from seqbench.datasets.download import HINT, checksums, listed_folder
from seqbench.storage.recordings import Recordings

COMMIT = "d467f219ebba6456b5314e2c1cb3c38af07ad5ed"
URL = f"https://raw.githubusercontent.com/pySTEPS/pysteps-data/{COMMIT}/radar/fmi/20170509"
DIGESTS = (
    "55acdc5f297d44e07d2b12c9f3ec2e174942521ca759d705978571f70196d661",
    "9fcd56779055d919f8e0ba175369c986315de270031aa1fa9c6189f66bd06a41",
    "96bf4784c8189bc983adc2fb714a95efa9393cbcc9404c98a3519fb2ef7eaef1",
    "3445b56d603031efbd5d2696785a14078527314fbb6032f0842764f19bf8de61",
    "3f7a5fff015565754e7b3c2b07f4f96d726b33c002d11b54f7da422a3302544d",
    "1b75506933878b61b554855d608bca297afb4f01da02820453c3d8092a9fa526",
    "a2f40b9fc97929b3a14ddc57c6f477d6b0e509fe42f079d76ad7cdad4122c5f0",
    "af525e9776da338db8486b42e8c8750199172db36d9d63752f00c3e5efde6d44",
    "7d9cb789e07a312d99309e7e531c8f3ed545ad42f81f4c85405a42fde308cd82",
    "a0d8772801ed458d338089d62924878dd9b0a7d1757471d28ed2dc94bd69c7a2",
    "55482408620be229cae21ee54841cb0797d6fee165ee492c6ef7446bd079c9a3",
    "d7c2d1f13bb9892a050d09594c3f4b489f6e0136cc567a7f3b568904a9bf01d5",
    "001201c0041ff8a3f2d2b599c77c511a53f210ff8f1246cdc054ade04da4a128",
    "c7214776f6d5d13774ed3a4ce6c45f24081b716405cf0f83705e099d0da947f0",
    "2c6909fe4460f39918f6cb4c696fc94c6a2f1bf91391168e9c150d7aa808f562",
    "4bf808365e3c6afd0faba637b8eab90e956a14087c868e3f74374fe53f6ec1de",
    "d5655858d39621e357f14db15c51a04c7f03a189080f12a6ad84dc0246470d2e",
    "8f2af2d7396298a292c30cc364bf40c7aa9c14234dc9667a97afc016b728330a",
    "d289de4332dfe4cdd99d00a77ae8488da383a940335625866d08bb968a1f48a0",
    "49d08023a30bb583a0f2724ba71a596fcf9766792e332f9e55a4fd54b9610d3d",
    "e7b5dbf39c5de71edfb27e041404c10dd4b93ac10e39b69cc0bf4d53cb4d37c3",
    "a0c03536accf5b17ac94d268eba501bda56df2231875a774a9e0f31d87bf42d4",
    "eb1c72b1b2a092aa9d7eb0075bb3b6a88829c253bbf08686d778b46c3e2e50d0",
    "27678be95f080ec3a2289ede94890cc0335be2408682015d17af440d57dde335",
    "c01360764f5116754dac9fe103a56d80c8b869eaa2c42a6adf71597f08fd41cd",
    "25bbcc4f483ddb5349f11fb872c62c247dfdaccfe72168b089782b37207fd041",
    "fcae0db076de42b5dd5e7f8b011cc285afc7044a422278e6e593529041dc002d",
    "52c0c161c70f1762e5b9b3a46bdb81a2f36da923897dfad289bea5266d8f26d5",
    "b27b2dc0225c11716935d1c510b0d9d11c2bee82218491db48b829babe96b63f",
    "0bb84bab6dc133d5cdeeed5076159998331f3111e9e8172a7bf40cd82d9036b9",
    "52d77b9dfbcc684ce08fd5f34add5d0257411d015834a8d229c8e0a3fac5fd1c",
    "099b1f365ab8cc5cc04b9e2797c620e2ab6ca960a738644b40ebb2f96c470ab4",
    "3b3adf89faa0499416e9b13cfc99ff6a31d647f2799f63d25f85e9c1d1aa6931",
    "3cff7dc3a55b3d62e8ea6bccb4059434d518275f125ddd6d264f9a8f21805c64",
    "2bc95d3f0a8a36b435ce99e9f671d1e6611193f66985827019db757278dab5ab",
    "6bbc7e2e76e0882ce6c91dd01e390a7e18abf23e737f8e834104c9a910d6d7f9",
    "f0a23bfbb11444d2686bd134eecabe8954d5a3df517661c23baf7bd66f1b5d27",
    "2e4f05f52efa4dbcead26f3ce3a54b92ca0bef9d121b87c3fa76528c048e01da",
    "a811e6670f68e5486b8c172a6b7eb841d6ef7d927ff1caa58b0fc80195bde092",
    "b6ddde0f9e31a057b1b4ca12a3cc685e4a2abe3b454cc820327c93fc457da1e0",
)
FIRST_MINUTE, STEP_MINUTES = 10 * 60 + 45, 5
SUMS = {
    f"20170509{minute // 60:02d}{minute % 60:02d}_fmi.radar.composite.lowest_FIN_SUOMI1.pgm.gz": sha
    for minute, sha in zip(range(FIRST_MINUTE, 14 * 60 + 1, STEP_MINUTES), DIGESTS, strict=True)
}
MISSING, ZERO_DBZ, BYTES_PER_DBZ = 255, 64, 2
RAIN_DBZ = 20.0  # about half a millimetre in an hour


@DATASETS.register("radar", task="forecasting", sample="video")
def radar(
    cache: Path, *, patch_size: Count = 64, reduction: Count = 2, n_patches: Count = 16
) -> Recordings:
    """Reflectivity of rain in squares of southern and middle Finland, in dBZ, every five minutes.

    Parameters
    ----------
    cache
        Holds the folder `radar/fmi/20170509`, or receives it.
    patch_size
        Rows and columns of a square, in pixels of the data set.
    reduction
        Rows and columns of pixels of 1 km that become one pixel, their mean.
    n_patches
        Squares that are taken, those with most rain in the first half of the frames.

    Raises
    ------
    DataError
        If a file is absent or damaged, its download fails, or fewer squares
        than requested are seen by radars from beginning to end.

    Notes
    -----
    A recording is a square of the map that radars see in all frames; squares do
    not overlap, and how much it rains in them is taken from the first half of
    the frames alone, which a split in time leaves to train as long as val and
    test are no more than the other half. What is below 0 dBZ is 0 here: no
    rain, whether noise or nothing.
    It is one afternoon of showers: what a model learns of it is its wind.
    """
    folder = listed_folder(cache / "radar/fmi/20170509", {URL: SUMS})
    files = checksums(folder, SUMS, URL)
    frames = [read_pgm(folder / name) for name in SUMS]
    for name, frame in zip(SUMS, frames, strict=True):
        if frame.shape != frames[0].shape:
            problem = f"its picture is not {frames[0].shape} as the first one's"
            raise fault(folder / name, problem, HINT)
    squares = _squares(np.stack(frames), patch_size * reduction)
    chosen = rainiest(squares, n_patches, folder)
    return Recordings.without_classes(
        [_reduced(dbz(squares[place]), reduction)[:, None] for place in chosen],
        task="forecasting",
        sample="video",
        names=[f"row{row:02d}_column{column:02d}" for row, column in chosen],
        channels=["reflectivity"],
        units=["dBZ"],
        sampling_rate_hz=1 / (60 * STEP_MINUTES),
        source={
            "origin": URL,
            "licence": "CC BY 4.0",
            "citation": "Finnish Meteorological Institute, open data: radar composite, 9 May 2017.",
            "files": files,
            "notes": ["One afternoon of rain: models may know its wind, and no other weather."],
        },
    )


def read_pgm(path: Path) -> NDArray[np.uint8]:
    """Return the picture (rows, columns) of a gzipped PGM file of bytes.

    Raises
    ------
    DataError
        If the file is damaged or of another type.
    """
    with explained(path, HINT):
        content = gzip.decompress(path.read_bytes())
    header = re.match(rb"P5\s+(?:#.*\n)*(\d+)\s+(\d+)\s+(?:#.*\n)*255\s", content)
    if header is None or len(content) - header.end() != int(header[1]) * int(header[2]):
        raise fault(path, "it is no PGM file of bytes", HINT)
    pixels = np.frombuffer(content, dtype=np.uint8, offset=header.end())
    return pixels.reshape(int(header[2]), int(header[1]))


def dbz(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the reflectivity of bytes in dBZ, at least 0."""
    return np.maximum((pixels.astype(np.float32) - ZERO_DBZ) / BYTES_PER_DBZ, 0)


def rainiest(
    squares: dict[tuple[int, int], NDArray[np.uint8]], n: int, folder: Path
) -> list[tuple[int, int]]:
    """Return the places of the squares with most rain in the first half of their frames.

    Raises
    ------
    DataError
        If fewer are seen from beginning to end.
    """
    seen = {place: square for place, square in squares.items() if (square != MISSING).all()}
    if len(seen) < n:
        raise DataError(
            f"n_patches: {folder} has {len(seen)} squares of this size that radars see from"
            f" beginning to end, fewer than {n}; choose fewer, or smaller ones"
        )
    rain = {
        place: float((dbz(square[: len(square) // 2]) >= RAIN_DBZ).mean())
        for place, square in seen.items()
    }
    return sorted(sorted(rain, key=lambda place: (-rain[place], place))[:n])


def _squares(frames: NDArray[np.uint8], side: int) -> dict[tuple[int, int], NDArray[np.uint8]]:
    """Return the squares (n_frames, side, side) that frames are cut into, by row and column."""
    n_rows, n_columns = (extent // side for extent in frames.shape[1:])
    return {
        (i, j): frames[:, i * side : (i + 1) * side, j * side : (j + 1) * side]
        for i in range(n_rows)
        for j in range(n_columns)
    }


def _reduced(square: NDArray[np.float32], reduction: int) -> NDArray[np.float32]:
    """Return means over `reduction` x `reduction` pixels of (n_frames, rows, columns)."""
    n_frames, rows, columns = square.shape
    blocks = square.reshape(n_frames, rows // reduction, reduction, columns // reduction, reduction)
    return blocks.mean(axis=(2, 4))
