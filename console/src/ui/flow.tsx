// The way of each item through the stages, drawn.
import {useState} from 'preact/hooks';
import type {AnswerItem} from '../api/types';
import {flowSummary, layFlow} from '../lib/flow';
import {plain} from '../lib/format';
import {useWidth} from './load';

const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

export function RankFlow({items, chosen, onChoose}: {
  items: AnswerItem[]; chosen: string | null; onChoose: (id: string | null) => void;
}) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [over, setOver] = useState<string | null>(null);
  const flow = layFlow(items, Math.max(280, width));
  const lit = over ?? chosen;
  const dimmed = (item: string) => (lit && lit !== item ? ' off' : '');
  const ofNode = (key: string) => (key.startsWith('s:') ? null : key.slice(2));
  return (
    <figure>
      <figcaption>{flowSummary(items)}</figcaption>
      <div ref={ref}>
        <svg class="flow" width={flow.width} height={flow.height} role="img" aria-label={`Rank flow. ${flowSummary(items)}`}
             onMouseLeave={() => setOver(null)}>
          {flow.heads.map((n) => <text key={n.key} class={n.key === 'source' ? 'head end' : 'head'} x={n.x} y={n.y}>{n.text}</text>)}
          {flow.lines.map((line, i) => (
            <path key={i} class={line.kind + dimmed(line.item)} d={line.path}
                  onMouseEnter={() => setOver(line.item)} onClick={() => onChoose(line.item)} />
          ))}
          {flow.nodes.map((n) => {
            const item = ofNode(n.key);
            return (
              <text key={n.key} class={item === null ? 'source' : `rank${dimmed(item)}`} x={n.x} y={n.y}
                    onMouseEnter={() => setOver(item)} onClick={() => onChoose(item)}>{plain(n.text)}</text>
            );
          })}
          {flow.titles.map((n) => (
            <text key={n.key} class={`title${dimmed(n.key)}`} x={n.x} y={n.y}
                  onMouseEnter={() => setOver(n.key)} onClick={() => onChoose(n.key)}>
              {short(plain(n.text), Math.floor((flow.width - n.x) / 7.5))}
            </text>
          ))}
        </svg>
      </div>
    </figure>
  );
}
