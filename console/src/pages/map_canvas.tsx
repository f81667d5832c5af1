// The scatter itself: drawn on demand, moved by pointer, wheel and keys.
import {useEffect, useMemo, useRef} from 'preact/hooks';
import type {MapPoint} from '../api/types';
import {boundsOf, fit, Grid, pan, zoom, type View} from '../lib/scatter';
import {palette} from '../theme';
import {useWidth} from '../ui/load';
import {draw, type Scene} from './map_draw';

const kReach = 12;  // px from the pointer

interface Props {
  points: MapPoint[];
  lit: Set<number>;
  dimOthers: boolean;
  chosen: number;
  onHover: (index: number) => void;
  onChoose: (index: number) => void;
}

export function MapCanvas({points, lit, dimOthers, chosen, onHover, onChoose}: Props) {
  const [box, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const height = Math.round(Math.min(560, Math.max(300, width * 0.7)));
  const plane = useMemo(() => {
    const xs = Float32Array.from(points, (p) => p.x), ys = Float32Array.from(points, (p) => p.y);
    const bounds = boundsOf(xs, ys);
    return {xs, ys, bounds, codes: Int32Array.from(points, (p) => p.semantic_id[0] ?? 0), grid: new Grid(xs, ys, bounds)};
  }, [points]);
  const view = useRef<View>({x: 0, y: 0, scale: 1});
  const scene = useRef<Scene>({...plane, lit, dimOthers, chosen, hover: -1});
  Object.assign(scene.current, plane, {lit, dimOthers, chosen});
  const frame = useRef(0);

  const redraw = () => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => canvas.current && draw(canvas.current, view.current, scene.current));
  };
  const whole = () => {
    view.current = fit(plane.bounds, width, height);
    redraw();
  };
  const move = (next: View) => {
    view.current = next;
    redraw();
  };
  useEffect(() => {
    if (width) whole();
  }, [width, plane]);
  useEffect(redraw, [lit, dimOthers, chosen, palette.value]);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  const input = {view, move, whole, width, height};
  const hoverAt = (x: number, y: number) => {
    const v = view.current;
    const index = plane.grid.nearest(v.x + x / v.scale, v.y + y / v.scale, kReach / v.scale);
    if (index === scene.current.hover) return;
    scene.current.hover = index;
    onHover(index);
    redraw();
  };
  usePointer(canvas, input, hoverAt, () => onChoose(scene.current.hover));
  return (
    <div ref={box} class="canvas">
      <canvas ref={canvas} width={width} height={height} tabIndex={0} role="application"
              aria-label="Map of the catalogue. Arrow keys move it, plus and minus zoom, 0 shows all of it. The search beside it lists items."
              onKeyDown={(event) => {
                const next = keyed(event.key, view.current, width, height);
                if (event.key === '0') whole();
                else if (next) move(next);
                else return;
                event.preventDefault();
              }} />
    </div>
  );
}

function keyed(key: string, view: View, width: number, height: number): View | null {
  const step = 60;
  switch (key) {
    case 'ArrowLeft': return pan(view, step, 0);
    case 'ArrowRight': return pan(view, -step, 0);
    case 'ArrowUp': return pan(view, 0, step);
    case 'ArrowDown': return pan(view, 0, -step);
    case '+': case '=': return zoom(view, 1.4, width / 2, height / 2);
    case '-': return zoom(view, 1 / 1.4, width / 2, height / 2);
    default: return null;
  }
}

interface Input { view: {current: View}; move: (view: View) => void; width: number; height: number }

// One finger or the mouse moves, two fingers or the wheel zoom, a press without a move chooses.
function usePointer(canvas: {current: HTMLCanvasElement | null}, input: Input,
                    hoverAt: (x: number, y: number) => void, choose: () => void) {
  const now = useRef({input, hoverAt, choose});
  now.current = {input, hoverAt, choose};
  useEffect(() => {
    const element = canvas.current!;
    const down = new Map<number, [number, number]>();
    let moved = 0;
    const apart = () => {
      const [a, b] = [...down.values()];
      return Math.max(1, Math.hypot(a![0] - b![0], a![1] - b![1]));
    };
    const onDown = (e: PointerEvent) => {
      element.setPointerCapture(e.pointerId);
      down.set(e.pointerId, [e.offsetX, e.offsetY]);
      moved = down.size > 1 ? Infinity : 0;
      now.current.hoverAt(e.offsetX, e.offsetY);
    };
    const onMove = (e: PointerEvent) => {
      const was = down.get(e.pointerId), {view, move} = now.current.input;
      if (!was) return now.current.hoverAt(e.offsetX, e.offsetY);
      const before = down.size === 2 ? apart() : 0;
      down.set(e.pointerId, [e.offsetX, e.offsetY]);
      const [dx, dy] = [e.offsetX - was[0], e.offsetY - was[1]];
      moved += Math.abs(dx) + Math.abs(dy);
      move(down.size === 2 ? zoom(view.current, apart() / before, e.offsetX, e.offsetY) : pan(view.current, dx, dy));
    };
    const onUp = (e: PointerEvent) => {
      down.delete(e.pointerId);
      if (moved < 4 && e.type === 'pointerup') now.current.choose();
    };
    const onWheel = (e: WheelEvent) => {
      e.preventDefault();
      const {view, move} = now.current.input;
      move(zoom(view.current, Math.exp(-e.deltaY * 0.0015), e.offsetX, e.offsetY));
    };
    const onLeave = () => now.current.hoverAt(-1e6, -1e6);
    element.addEventListener('pointerdown', onDown);
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerup', onUp);
    element.addEventListener('pointercancel', onUp);
    element.addEventListener('pointerleave', onLeave);
    element.addEventListener('wheel', onWheel, {passive: false});
    return () => {
      element.removeEventListener('pointerdown', onDown);
      element.removeEventListener('pointermove', onMove);
      element.removeEventListener('pointerup', onUp);
      element.removeEventListener('pointercancel', onUp);
      element.removeEventListener('pointerleave', onLeave);
      element.removeEventListener('wheel', onWheel);
    };
  }, []);
}
