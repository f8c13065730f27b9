'use strict';

// Calls a function with the step of the episode when the film shows another.
const listeners = [];
let showStep = () => {};

// Charts: the values under the pointer, or at the arrow keys' place.
function readLine(line) {
  const points = Array.from(line.points).map((p) => [p.x, p.y]);
  return { name: line.dataset.name, colour: line.getAttribute('stroke'),
    points };
}

function nearest(points, x) {
  return points.reduce((a, b) =>
    (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a));
}

function round(value) {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)));
}

function makeChart(svg) {
  const box = svg.viewBox.baseVal;
  const width = box.width - 54;
  const height = box.height - 46;
  const [left, right, low, high] = svg.dataset.domain.split(' ').map(Number);
  const lines = Array.from(svg.querySelectorAll('.line')).map(readLine);
  const cursor = svg.querySelector('.cursor');
  const output = svg.parentNode.querySelector('output');
  const isEpisode = 'episode' in svg.dataset;
  let place = 0;

  function move(x) {
    place = Math.min(Math.max(x, 0), width);
    cursor.setAttribute('visibility', 'visible');
    cursor.setAttribute('x1', place);
    cursor.setAttribute('x2', place);
  }

  function tell(x) {
    move(x);
    output.textContent = '';
    const step = nearest(lines[0].points, place)[0];
    const head = document.createElement('div');
    head.textContent = round(left + (right - left) * step / width);
    output.append(head);
    for (const line of lines) {
      const row = document.createElement('div');
      const y = nearest(line.points, place)[1];
      const value = high - (high - low) * y / height;
      row.textContent = `${line.name}  ${round(value)}`;
      row.style.borderLeft = `3px solid ${line.colour}`;
      row.style.paddingLeft = '6px';
      output.append(row);
    }
    output.hidden = false;
    const onLeft = place > width / 2;
    output.style.left = onLeft ? '48px' : 'auto';
    output.style.right = onLeft ? 'auto' : '8px';
  }

  function seek() {
    if (isEpisode) showStep(Math.round(left + (right - left) * place / width));
  }

  function hide() {
    output.hidden = true;
    if (!isEpisode) cursor.setAttribute('visibility', 'hidden');
  }

  function across(event) {
    const area = svg.getBoundingClientRect();
    return box.x + box.width * (event.clientX - area.left) / area.width;
  }

  svg.addEventListener('pointermove', (event) => {
    tell(across(event));
    if (event.buttons) seek();
  });
  svg.addEventListener('pointerdown', (event) => {
    tell(across(event));
    seek();
  });
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('blur', hide);
  svg.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    tell(place + by * width / 100);
    seek();
  });
  if (isEpisode) {
    listeners.push((step) => move(width * (step - left) / (right - left)));
  }
}

document.querySelectorAll('.chart svg').forEach(makeChart);

// The film: squares of an atlas, and for each frame where they lie.
async function makeFilm(element) {
  const data = JSON.parse(element.querySelector('script').textContent);
  const atlas = new Image();
  atlas.src = `data:image/png;base64,${data.atlas}`;
  const packed = Uint8Array.from(atob(data.places), (x) => x.charCodeAt(0));
  const stream = new Blob([packed]).stream()
    .pipeThrough(new DecompressionStream('deflate'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  await atlas.decode();
  const side = 8;
  const perFrame = data.columns * Math.ceil(data.height / side);
  const places = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < places.length; i += 1) {
    const before = i < perFrame ? 0 : places[i - perFrame];
    places[i] = before + bytes[i] + 256 * bytes[places.length + i];
  }

  function draw(canvas, step) {
    const context = canvas.getContext('2d');
    const first = Math.floor(step / data.every) * perFrame;
    for (let i = 0; i < perFrame; i += 1) {
      const square = places[first + i];
      context.drawImage(atlas,
        side * (square % 64), side * Math.floor(square / 64), side, side,
        side * (i % data.columns), side * Math.floor(i / data.columns),
        side, side);
    }
  }

  const [play, slider, speed, output] = ['button', 'input', 'select', 'output']
    .map((name) => element.querySelector(`.controls ${name}`));
  const canvas = element.querySelector('canvas');
  let timer = null;

  showStep = (step) => {
    const shown = Math.min(Math.max(step, 0), data.last_step);
    slider.value = shown;
    output.textContent = `step ${shown}`;
    draw(canvas, shown);
    listeners.forEach((listen) => listen(shown));
  };

  function pause() {
    clearTimeout(timer);
    timer = null;
    play.textContent = 'Play';
  }

  function advance() {
    const next = Number(slider.value) + data.every;
    if (next > data.last_step) {
      pause();
      return;
    }
    showStep(next);
    timer = setTimeout(advance, 80 * Number(speed.value));
  }

  play.addEventListener('click', () => {
    if (timer) {
      pause();
      return;
    }
    play.textContent = 'Pause';
    if (Number(slider.value) + data.every > data.last_step) showStep(0);
    timer = setTimeout(advance, 80 * Number(speed.value));
  });
  slider.addEventListener('input', () => {
    pause();
    showStep(Number(slider.value));
  });
  document.querySelectorAll('[data-show]').forEach((button) => {
    button.addEventListener('click', () => {
      pause();
      showStep(Number(button.dataset.show));
      element.scrollIntoView({ block: 'nearest' });
    });
  });
  document.querySelectorAll('[data-step]').forEach((still) => {
    const step = Number(still.dataset.step);
    if (step > data.last_step) return;
    still.width = data.width;
    still.height = data.height;
    draw(still, step);
    still.parentNode.hidden = false;
  });
  showStep(0);
}

document.querySelectorAll('.film').forEach(makeFilm);
