"""Draws an episode's film and influence matrix."""

import csv
import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from matplotlib import figure as figure_lib
from PIL import Image, ImageDraw, ImageSequence

from influence_acme import palette, types

FRAME_MILLISECONDS = 80
# A GIF has 16 bits for how long a picture is shown, in hundredths of a second.
_LONGEST_STILL = 10 * 0xFFFF // FRAME_MILLISECONDS

# Beside a frame of a video, what each agent sees.
_VIEW_PIXELS = 120  # At most, where a view has no more pixels than that.
_LABEL_PIXELS = 13
_GAP_PIXELS = 8
_PAPER = (255, 255, 255)
_INK = (34, 34, 34)


def write_video(
  path: str | os.PathLike[str], frames: Iterable[np.ndarray]
) -> None:
  """Writes a video that every browser shows, and that needs no codec.

  A frame that equals the one before it lengthens that one.

  Args:
    path: of the video, .gif.
    frames: uint8 [H, W, 3] each, at least one; at most 256 colours each are
      kept as they are. They may be made one by one.

  Raises:
    ValueError: there is no frame.
  """
  images = _images(frames)
  first = next(images, None)
  if first is None:
    raise ValueError('A video needs at least one frame.')
  first.save(
    os.fspath(path),
    save_all=True,
    append_images=images,
    duration=FRAME_MILLISECONDS,
    loop=0,
  )


def _images(frames: Iterable[np.ndarray]) -> Iterator[Image.Image]:
  """Makes pictures; one that shows nothing new parts too long a still."""
  last, count = np.empty(0), 0
  for frame in frames:
    count = count + 1 if np.array_equal(frame, last) else 1
    last, image = frame.copy(), Image.fromarray(frame)
    if count > _LONGEST_STILL:  # Pillow would join it with those before it.
      image, count = Image.new('RGBA', image.size), 0
    yield image


def write_mp4(
  path: str | os.PathLike[str], frames: Iterable[np.ndarray]
) -> None:
  """Writes a video of uint8 [H, W, 3] frames that is smaller than a GIF.

  Raises:
    ImportError: imageio-ffmpeg is not installed.
  """
  import imageio_ffmpeg  # Optional.

  writer = None
  for frame in frames:
    # The codec takes even sizes alone.
    padding = [(0, size % 2) for size in frame.shape[:2]]
    frame = np.pad(frame, [*padding, (0, 0)])
    if writer is None:
      writer = imageio_ffmpeg.write_frames(
        os.fspath(path),
        frame.shape[1::-1],
        fps=1000 / FRAME_MILLISECONDS,
        macro_block_size=2,
      )
      writer.send(None)
    writer.send(np.ascontiguousarray(frame))
  if writer is not None:
    writer.close()


def read_video(
  path: str | os.PathLike[str],
) -> Iterator[tuple[np.ndarray, int]]:
  """Yields uint8 [H, W, 3], and for how many frames it is shown."""
  with Image.open(path) as video:
    for part in ImageSequence.Iterator(video):
      count = part.info['duration'] // FRAME_MILLISECONDS
      yield np.asarray(part.convert('RGB')), count


def with_views(
  frames: Iterable[np.ndarray],
  views: np.ndarray | None,
  messages: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
  """Shows beside each frame what each agent sees, under its number.

  Args:
    frames: uint8 [H, W, 3] each, F of them.
    views: uint8 [F, N, H', W', 3]; None: frames stay as they are.
    messages: int [F - 1, N], what each agent said after the frame; it stands
      above the next view, when all hear it. None: nobody speaks.

  Yields:
    uint8 [H'', W'', 3], for each frame.
  """
  if views is None:
    yield from frames
    return
  num_agents, height, width = views.shape[1:4]
  scale = max(_VIEW_PIXELS // max(height, width), 1)
  tile = np.array([scale * height + _LABEL_PIXELS, scale * width + _GAP_PIXELS])
  for t, (frame, seen) in enumerate(zip(frames, views, strict=True)):
    rows = max(len(frame) // tile[0], 1)
    columns = math.ceil(num_agents / rows)
    size = max(len(frame), tile[0]), frame.shape[1] + columns * tile[1]
    picture = Image.new('RGB', size[::-1], _PAPER)
    picture.paste(Image.fromarray(frame), (0, 0))
    draw = ImageDraw.Draw(picture)
    for i, view in enumerate(seen):
      # Down the first column, then down the second.
      y, x = tile * (i % rows, i // rows) + (0, frame.shape[1] + _GAP_PIXELS)
      large = view.repeat(scale, axis=0).repeat(scale, axis=1)
      picture.paste(Image.fromarray(large), (int(x), int(y) + _LABEL_PIXELS))
      label = f'agent {i}'
      if messages is not None and t > 0:
        label += f' said {messages[t - 1, i]}'
      left, top = int(x), int(y)
      colour = palette.AGENTS[i % len(palette.AGENTS)]
      draw.rectangle((left, top + 3, left + 7, top + 10), fill=colour)
      draw.text((left + 11, top), label, fill=_INK)
    yield np.asarray(picture)


def write_influence_matrix(
  path: str | os.PathLike[str],
  matrix: np.ndarray,
  agent_ids: Sequence[types.AgentId],
) -> None:
  """Writes who influences whom, as a heat map and as numbers.

  Args:
    path: of the picture, .png; the numbers go to a .csv beside it.
    matrix: float [N, N], nats per step: the row's agent influences the
      column's. The diagonal is left blank.
    agent_ids: N names.

  Raises:
    ValueError: the matrix is not [N, N].
  """
  path, num_agents = pathlib.Path(path), len(agent_ids)
  if np.shape(matrix) != (num_agents, num_agents):
    raise ValueError(
      f'The matrix must be [{num_agents}, {num_agents}] for {num_agents} '
      f'agents, but it is {list(np.shape(matrix))}.'
    )
  matrix = np.where(np.eye(num_agents, dtype=bool), np.nan, matrix)
  with open(
    path.with_suffix('.csv'), 'w', newline='', encoding='utf-8'
  ) as file:
    writer = csv.writer(file)
    writer.writerow(['influencer', *agent_ids])
    for agent_id, row in zip(agent_ids, matrix, strict=True):
      cells = ['' if np.isnan(x) else f'{x:.6g}' for x in row]
      writer.writerow([agent_id, *cells])
  _draw_matrix(matrix, [i.replace('_', ' ') for i in agent_ids]).savefig(path)


def read_influence_matrix(
  path: str | os.PathLike[str],
) -> tuple[tuple[types.AgentId, ...], np.ndarray] | None:
  """Reads the numbers that `write_influence_matrix` wrote.

  Returns:
    N names, and float64 [N, N] whose diagonal is NaN; None without a file.
  """
  numbers = pathlib.Path(path).with_suffix('.csv')
  if not numbers.exists():
    return None
  with open(numbers, newline='', encoding='utf-8') as file:
    (_, *agent_ids), *rows = csv.reader(file)
  matrix = [[float(cell or 'nan') for cell in cells] for _, *cells in rows]
  return tuple(agent_ids), np.array(matrix)


def strength(nats: np.ndarray) -> np.ndarray:
  """Returns how strongly influence is coloured, the same in every picture.

  Args:
    nats: float [...], per step.

  Returns:
    float [...] in [0, 1]: 0 up to 0.01 nats, then with the logarithm, 1 from
    1 nat on.
  """
  return np.clip(1 + np.log10(np.maximum(nats, 1e-9)) / 2, 0.0, 1.0)


def _draw_matrix(matrix: np.ndarray, names: Sequence[str]) -> figure_lib.Figure:
  """Draws a heat map with the number in each cell but the diagonal's."""
  size = 2.2 + 0.75 * len(names)
  figure = figure_lib.Figure((size + 0.8, size), dpi=120, layout='constrained')
  axes = figure.subplots()
  image = axes.imshow(strength(matrix), cmap='Blues', vmin=0, vmax=1)
  for (row, column), value in np.ndenumerate(matrix):
    if not np.isnan(value):
      colour = 'white' if strength(value) > 0.6 else '#222222'
      number = axes.text(column, row, f'{value:.2g}', color=colour)
      number.set(ha='center', va='center', size='small')
  axes.set_xticks(range(len(names)), names)
  axes.set_yticks(range(len(names)), names)
  axes.set_xlabel('influenced')
  axes.set_ylabel('influencer')
  axes.set_title('Who influences whom (KL)', loc='left')
  axes.set_facecolor('#EEEEEE')  # Seen on the diagonal alone.
  axes.tick_params(length=0, labelsize='small')
  axes.spines[:].set_visible(False)
  bar = figure.colorbar(image, shrink=0.8, label='nats per step')
  bar.set_ticks([0, 0.5, 1], labels=['0.01', '0.1', '1'])
  bar.ax.spines['outline'].set_visible(False)
  return figure
