// Lines over time, by uPlot.
import {useEffect, useRef} from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import {clock, digits} from '../lib/format';
import {colour, palette} from '../theme';
import {useWidth} from './load';

export interface ChartLine { name: string; colour: string; values: (number | null)[]; dash?: boolean }

function optionsOf(lines: ChartLine[], unit: string, width: number): uPlot.Options {
  const axis = {
    stroke: colour('--dim'), font: '12px system-ui', grid: {stroke: colour('--rail'), width: 1}, ticks: {show: false},
  };
  return {
    width, height: 180, legend: {show: false}, cursor: {sync: {key: 'live'}, y: false},
    scales: {y: {range: (_, __, high) => [0, Math.max(high * 1.1, 1e-3)]}},
    axes: [{...axis, size: 32, values: (_, ticks) => ticks.map(clock)}, {...axis, size: 52, values: (_, ticks) => ticks.map((v) => digits(v))}],
    series: [{}, ...lines.map((line) => ({
      label: `${line.name} (${unit})`, stroke: colour(line.colour), width: 1.6,
      dash: line.dash ? [4, 3] : undefined, points: {show: false}, spanGaps: false,
    }))],
  };
}

export function Chart({title, unit, times, lines}: {title: string; unit: string; times: number[]; lines: ChartLine[]}) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const plot = useRef<uPlot | null>(null);
  const colours = palette.value;
  const data: uPlot.AlignedData = [times, ...lines.map((line) => line.values)];
  useEffect(() => {
    if (!width) return;
    plot.current = new uPlot(optionsOf(lines, unit, width), data, ref.current!);
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [width, colours]);
  useEffect(() => plot.current?.setData(data), [times.at(-1)]);
  return (
    <figure>
      <figcaption>
        <strong>{title}</strong>
        {lines.map((line) => (
          <span class="legend" key={line.name}>
            <svg width="18" height="8" aria-hidden="true">
              <line x1="0" y1="4" x2="18" y2="4" class={line.dash ? 'dashed' : ''} style={{stroke: `var(${line.colour})`}} />
            </svg>
            {line.name}
          </span>
        ))}
      </figcaption>
      <div ref={ref} class="plot" aria-hidden="true" />
    </figure>
  );
}
