"""Installs influence_acme: the pure layers, and by extras the whole stack."""

import pathlib
import re

import setuptools

_HERE = pathlib.Path(__file__).parent
_VERSION = re.search(
  r"^__version__ = '(.+)'$",
  (_HERE / 'influence_acme' / '__init__.py').read_text(encoding='utf-8'),
  re.MULTILINE,
).group(1)

# dm-acme, dm-reverb and dm-launchpad link TensorFlow's C++ library, so that
# they, TensorFlow and NumPy must match to the build; see the README's table.
_ACME = [
  'dm-acme==0.4.0',
  'dm-launchpad==0.5.0',
  'dm-reverb==0.7.3',
  'tensorflow-cpu==2.8.4',
  'tensorflow-probability==0.16.0',
  'protobuf<3.21',
  'numpy<1.24',
  'scipy<1.12',
  'jax==0.4.23',
  'jaxlib==0.4.23',
  'dm-haiku==0.0.13',
  'chex==0.1.7',
  'optax==0.2.1',
  'rlax==0.1.7',
  'distrax==0.1.2',
  'flax==0.8.4',
  'dm-sonnet',
  'trfl',
  'gym<0.26',
  'setuptools<81',
  'mock',
  'packaging',
  'cloudpickle',
  'psutil',
  'tomli',
]
# Environments from and to PettingZoo's parallel API: `influence_acme.adapters`.
_PETTINGZOO = ['pettingzoo>=1.27']
# What Melting Pot's substrates need. dm-meltingpot itself cannot be named here:
# it asks for another TensorFlow than Acme's. See tools/install_meltingpot.sh.
_MELTINGPOT = [
  'dmlab2d==1.0.0',
  'immutabledict',
  'ml-collections',
  'networkx',
  'reactivex',
]
# The documentation site, `make docs`, and what runs the tutorial. mkdocstrings
# 1.0.6 calls what pymdown-extensions changed in version 12.
_DOCS = [
  'mkdocs==1.6.1',
  'mkdocs-material==9.7.7',
  'mkdocstrings[python]==1.0.6',
  'pymdown-extensions<12',
  'nbclient==0.11.0',
  'ipykernel==7.3.0',
]

setuptools.setup(
  name='influence_acme',
  version=_VERSION,
  description='Social influence as intrinsic motivation, as Acme components.',
  long_description=(_HERE / 'README.md').read_text(encoding='utf-8'),
  long_description_content_type='text/markdown',
  # agents/ and environments/ lie at the top of the repository and are linked
  # into the package, so that no global `agents` or `tests` is installed.
  packages=setuptools.find_packages(
    include=['influence_acme', 'influence_acme.*']
  ),
  package_data={
    'influence_acme': ['py.typed'],
    'influence_acme.reports': ['templates/*'],
  },
  url='https://arxiv.org/abs/1810.08647',
  project_urls={'Paper': 'https://arxiv.org/abs/1810.08647'},
  keywords='multi-agent reinforcement learning, social influence, JAX, Acme',
  classifiers=[
    'Development Status :: 4 - Beta',
    'Intended Audience :: Science/Research',
    'License :: OSI Approved :: Apache Software License',
    'Operating System :: POSIX :: Linux',
    'Programming Language :: Python :: 3',
    *(f'Programming Language :: Python :: 3.{i}' for i in range(10, 15)),
    'Topic :: Scientific/Engineering :: Artificial Intelligence',
    'Typing :: Typed',
  ],
  entry_points={
    'console_scripts': [
      'influence-train = influence_acme.train:main',
      'influence-evaluate = influence_acme.evaluate:main',
      'influence-report = influence_acme.reports.__main__:main',
    ],
  },
  license='Apache-2.0',
  license_files=['LICENSE'],
  python_requires='>=3.10',
  # The pure layers: everything but Acme's face. Any version of these goes.
  install_requires=[
    'absl-py',
    'chex',
    'dm-env',
    'dm-haiku',
    'jax',
    'jaxlib',
    'jinja2',
    'matplotlib',
    'numpy',
    'optax',
    'pillow',
    'rich',
    'rlax',
    'safetensors',
    'scipy',
    'tensorboardX',
    'tyro',
  ],
  extras_require={
    'acme': _ACME,
    'pettingzoo': _PETTINGZOO,
    'meltingpot': _MELTINGPOT,
    'docs': _DOCS,
  },
)
