"""The pages of a sweep of one run that was really played."""

import pytest

from influence_acme import reports, reproduction


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_tiny_run(tmp_path, read_page):
  sweep = reproduction.Sweep(
    path=tmp_path,
    experiment='moa',
    game='cleanup',
    variants=('moa',),
    seeds=(0,),
    num_steps=80,
    num_environments=2,
    num_agents=2,
    episode_length=20,
    launch='single',
  )
  assert reproduction.run(sweep) == 0
  page = read_page(reports.write(tmp_path))
  assert '1 of 1 runs have finished 80 environment steps.' in page.text
  (url,) = [url for url in page.urls if not url.startswith('#')]
  page = read_page(tmp_path / url)
  assert 'moa in cleanup, seed 0, ' in page.text
  # 25 x 18 cells of 16 pixels, and a column of views beside them.
  assert page.film.shape == (21, 25 * 16, 18 * 16 + 128, 3)
  assert page.film[-1].any(axis=(0, 1)).all()
  assert 'agent 0' in page.text.replace('\N{NO-BREAK SPACE}', ' ')
