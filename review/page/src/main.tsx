// The entry of the review page. The first rows are asked for at once, beside the session: nobody waits for one and then the other.

import { render } from 'preact';
import { App } from './app.tsx';
import { show } from './list/rows.ts';
import { followAddress, route } from './router.ts';
import { loadSession } from './session.ts';
import { language } from './strings/language.ts';
import './style/page.css';
import './style/list.css';

document.documentElement.lang = language;
followAddress();
void loadSession();
if (route.value.at === 'list') show(route.value.filters);
const place = document.getElementById('app');
if (place !== null) render(<App />, place);
