import {render} from 'preact';
import {App} from './app';
import {listen} from './keys';
import './style/base.css';
import './style/parts.css';
import './style/pages.css';

listen();
render(<App />, document.getElementById('app')!);
