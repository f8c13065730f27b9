"""Social influence as intrinsic motivation, as DeepMind Acme components.

Import the part that you need, for example `from influence_acme import ops`:
no part loads another that it does not use. `load` gives the trained agents of a
run to act with, and `export` writes them without the rest of the run.
"""

from typing import TYPE_CHECKING

__version__ = '0.1.0'
__all__ = ('__version__', 'export', 'load')

if TYPE_CHECKING:
  from influence_acme.playing import export, load
else:

  def __getattr__(name: str):
    """Loads `export` and `load` when they are first asked for."""
    if name not in __all__:
      raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from influence_acme import playing

    return getattr(playing, name)
