"""Shows the episode that the final agents play, on a page.

Letters: T steps, N agents.
"""

import io
from collections.abc import Collection, Sequence

import numpy as np
from PIL import Image

from influence_acme.programs import evaluation
from influence_acme.reports import diagrams, moments, page
from influence_acme.runs import pictures, run_dir

# Variants whose influence shows in the same step, and not in the next one.
_AT_ONCE = frozenset({'visible_actions', 'basic_influence'})
_NUM_MOMENTS = 6
_STEPS_APART = 20
# Units of influence: the first one in which the largest number is 0.1 or more.
_UNITS = (('nats', 1.0), ('thousandths of a nat', 1e3), ('millionths', 1e6))
_NO_EPISODE = (
  'No episode was recorded yet: that is done when a run has reached its number '
  'of steps. Resume the run, then write this page again.'
)
_NO_INFLUENCE = (
  'No influence was measured in the recorded episode: these agents have '
  'nothing that says what others would have done.'
)
_NO_STEPS = (
  'Only means of this episode were kept, by an older version: influence step '
  'by step is missing, and so are the moments of most influence.'
)


def sections(
  run: run_dir.RunDirectory,
  played: evaluation.EpisodeRecord | None,
  variants: Collection[str],
) -> list[page.Section]:
  """Returns the parts of a page about the recorded episode.

  Args:
    run: whose episode was recorded, or not yet.
    played: what happened in it, if that was kept.
    variants: of the agents, which say when influence shows.
  """
  parts = [page.Section('An episode', _film(run) + _agents(played))]
  matrix = heat_map(run)
  if matrix:
    parts.append(page.Section('Who influences whom', matrix))
  if played is not None and played.reliability is not None:
    parts.append(page.Section('What agents foresee', _foresight(played)))
  if played is not None and played.influence is not None:
    found = moments.find(played.influence, _NUM_MOMENTS, _STEPS_APART)
    traces = _over_time(played.influence, _names(played.agent_ids), found)
    stills = _moments(run, played, found, variants)
    return [
      *parts,
      page.Section('Influence over time', traces),
      page.Section('Moments of most influence', stills),
    ]
  missing = _NO_STEPS if matrix else _NO_INFLUENCE
  if played is None and not run.video_path.exists():
    missing = _NO_EPISODE
  title = 'Influence over time' if matrix else 'Influence'
  return [*parts, page.Section(title, page.paragraph(missing))]


def heat_map(run: run_dir.RunDirectory) -> str:
  """Returns who influences whom in a run; nothing if that was not measured."""
  read = pictures.read_influence_matrix(run.influence_matrix_path)
  if read is None:
    return ''
  agent_ids, matrix = read
  largest = float(np.nanmax(matrix, initial=0.0))
  unit, factor = next(
    (entry for entry in _UNITS if largest * entry[1] >= 0.1), _UNITS[-1]
  )
  cells = [
    [
      None
      if np.isnan(value)
      else (f'{value * factor:.2f}', float(value) / (largest or 1.0))
      for value in row
    ]
    for row in matrix
  ]
  return page.heat_map(
    _names(agent_ids),
    cells,
    f'Mean influence of the row’s agent on the column’s, in {unit} a step, '
    'by KL.',
  )


def _foresight(played: evaluation.EpisodeRecord) -> str:
  """Returns how well models of others foresaw what the others did."""
  assert played.reliability is not None
  values = played.measures
  text = (
    'Of the likeliest next actions of others in view, as foreseen, '
    f'{values["moa_accuracy"]:.1%} were taken. On average the models are '
    f'{values["moa_calibration_error"]:.1%} off in how sure they are '
    '(expected calibration error). Below the dashed line they are too sure; '
    'large dots stand for many predictions.'
  )
  picture = diagrams.reliability(played.reliability)
  description = 'Accuracy of predictions over their confidence'
  return page.paragraph(text) + page.grid(
    [page.image(picture, 'png', description)]
  )


def _film(run: run_dir.RunDirectory) -> str:
  """Returns the video."""
  if not run.video_path.exists():
    return page.paragraph(
      'There is no film of this episode.'
      if run.episode_path.exists()
      else _NO_EPISODE
    )
  still = pictures.read_frames(run.video_path, [0])[0]
  return page.image(
    run.video_path.read_bytes(),
    'gif',
    'Film of an episode: the map from above, with beams, and beside it what '
    'each agent sees, and says if it can speak.',
    'The map, with beams (white cleans, yellow fines). Beside it, if recorded, '
    'what each agent sees: ahead of it is up.',
    still=_png(still),
  )


def _agents(played: evaluation.EpisodeRecord | None) -> str:
  """Returns what each agent got and did."""
  if played is None:
    return ''
  rows = []
  for i, name in enumerate(_names(played.agent_ids)):
    counts = np.bincount(played.actions[:, i])
    favourite = _action(played, int(counts.argmax()))
    row = [
      name,
      f'{played.rewards[:, i].sum():.6g}',
      int((played.rewards[:, i] > 0).sum()),
      f'{favourite} ({counts.max() / counts.sum():.0%})',
    ]
    if played.messages is not None:
      row.append(len(np.unique(played.messages[:, i])))
    rows.append(row)
  header = ['', 'return', 'rewarded steps', 'most frequent action']
  if played.messages is not None:
    header.append('different messages')
  return page.table(header, rows, f'{len(played.rewards):,} steps')


def _over_time(
  influence: np.ndarray,
  names: Sequence[str],
  found: Sequence[moments.Moment],
) -> str:
  """Returns the trace of each agent's influence."""
  drawn = diagrams.influence_traces(influence, names, found)
  traces = [
    page.image(picture, 'png', f'Influence of {name} over the episode')
    for name, picture in drawn.items()
  ]
  text = 'How much each agent influences all others together, in each step.'
  if found:
    text += ' Numbers are those of the moments below.'
  return page.paragraph(text) + page.grid(traces)


def _moments(
  run: run_dir.RunDirectory,
  played: evaluation.EpisodeRecord,
  found: Sequence[moments.Moment],
  variants: Collection[str],
) -> str:
  """Returns stills of the moments: before, then, and the step after."""
  if not found:
    return page.paragraph('Nobody influenced anybody in this episode.')
  stills: dict[int, Image.Image] = {}
  if run.video_path.exists():
    wanted = {moment.step + i for moment in found for i in range(3)}
    stills = pictures.read_frames(run.video_path, wanted)
  parts = []
  for number, moment in enumerate(found, 1):
    parts.append(page.heading(f'{number}. Step {moment.step}'))
    parts.append(page.paragraph(_describe(played, moment, variants)))
    parts.append(
      page.grid(
        page.image(
          _png(stills[moment.step + i]),
          'png',
          f'The map and all views, moment {number}, {caption}',
          caption,
        )
        for i, caption in enumerate(('before', 'then', 'one step later'))
        if moment.step + i in stills
      )
    )
  return ''.join(parts)


def _describe(
  played: evaluation.EpisodeRecord,
  moment: moments.Moment,
  variants: Collection[str],
) -> str:
  """Puts a moment into words."""
  step, who = moment.step, _names(played.agent_ids)
  did = f'does “{_action(played, played.actions[step, moment.influencer])}”'
  if played.messages is not None:
    did = f'says {played.messages[step, moment.influencer]}'
  at_once = not _AT_ONCE.isdisjoint(variants)
  reply = 'does at the same time' if at_once else 'does next'
  text = (
    f'{who[moment.influencer]} {did}. That changes what '
    f'{who[moment.influenced]} {reply} by {moment.influence:.3g} nats'
  )
  answered = step if at_once else step + 1
  if answered < len(played.actions):
    action = _action(played, played.actions[answered, moment.influenced])
    text += f': it does “{action}”'
  return f'{text[0].upper()}{text[1:]}.'


def _png(picture: Image.Image) -> bytes:
  file = io.BytesIO()
  picture.save(file, 'png', optimize=True)
  return file.getvalue()


def _names(agent_ids: Sequence[str]) -> list[str]:
  # Not to be broken over two lines.
  return [agent_id.replace('_', '\N{NO-BREAK SPACE}') for agent_id in agent_ids]


def _action(played: evaluation.EpisodeRecord, action: int) -> str:
  """Returns what people call an action."""
  names = played.action_names
  return names[action] if names else f'action {action}'
