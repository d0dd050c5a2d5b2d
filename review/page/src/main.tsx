// The entry of the review page.

import { render } from 'preact';
import { App } from './app.tsx';
import './style/page.css';

const place = document.getElementById('app');
if (place !== null) render(<App />, place);
