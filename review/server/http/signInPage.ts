// What the server itself shows where the page cannot: the form for a personal key, and short answers to people. The key stands
// behind the # of a link, where no server, proxy or preview of a chat sees it; the script moves it from there into the form.

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { width: min(26rem, 90vw); }
h1 { font-size: 1.25rem; margin: 0 0 0.5rem; }
label { display: block; margin-top: 1rem; }
input, button { font: inherit; padding: 0.5rem 0.75rem; width: 100%; box-sizing: border-box; margin-top: 0.25rem; }
button { margin-top: 1rem; cursor: pointer; }
`;
export const signInStyle = { path: '/sign-in.css', body: STYLE, type: 'text/css; charset=utf-8' };

/** A fragment that begins with / is a place in the page, not a key. */
const SCRIPT = `
const fragment = location.hash.slice(1);
if (/^[A-Za-z0-9_-]{20,200}$/.test(fragment)) {
  history.replaceState(null, '', location.pathname);
  const form = document.querySelector('form');
  form.elements.key.value = fragment;
  form.requestSubmit();
}
`;
export const signInScript = { path: '/sign-in.js', body: SCRIPT, type: 'text/javascript; charset=utf-8' };

export function messagePage(title: string, text: string): string {
  return document(`<h1>${escape(title)}</h1><p>${escape(text)}</p>`, '');
}

/** @param problem why the last try failed; null: this is the first one */
export function keyPage(problem: string | null): string {
  const message =
    problem ??
    'Enter the key that you got from the administrator of this server, or open your sign-in link again.';
  return document(
    `<h1>Sign in to review recordings</h1><p${problem === null ? '' : ' role="alert"'}>${escape(message)}</p>
<form method="post" action="sign-in" autocomplete="off">
<label for="key">Personal key</label>
<input id="key" name="key" type="password" required maxlength="200" autocomplete="current-password">
<button>Sign in</button>
</form>`,
    problem === null ? '<script src="sign-in.js" defer></script>' : '',
  );
}

function document(body: string, script: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sightline review</title>
<link rel="stylesheet" href="sign-in.css">
${script}
</head>
<body><main>${body}</main></body>
</html>
`;
}
