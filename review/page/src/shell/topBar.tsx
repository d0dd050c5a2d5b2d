// The bar above everything: where one is, who is signed in, colors, help, sign-out.

import type { JSX } from 'preact';
import type { Session } from '../../../contract.ts';
import { Icon } from '../parts/icons.tsx';
import { listHash, route } from '../router.ts';
import { signOut } from '../session.ts';
import { shell } from '../strings/shell.ts';
import { helpOpen } from './help.tsx';
import { chooseTheme, theme, themes } from './theme.ts';

export function TopBar({ session }: { readonly session: Session }): JSX.Element {
  const at = route.value.at;
  return (
    <header class="top-bar">
      {at === 'list' ? (
        <h1>
          <Icon name="picture" />
          {shell.title}
        </h1>
      ) : (
        <a class="back" href={listHash.value}>
          <Icon name="back" />
          {shell.back}
        </a>
      )}
      <span class="library" title={session.library}>
        {session.library}
      </span>
      <span class="space" />
      {session.may.readAudit && at !== 'audit' && (
        <a class="quiet-button" href="#/audit">
          <Icon name="log" />
          <span class="wide-only">{shell.auditLog}</span>
        </a>
      )}
      <label class="theme">
        <span class="read-only">{shell.theme}</span>
        <Icon name="theme" />
        <select
          title={shell.theme}
          value={theme.value}
          onChange={(event) => {
            const chosen = themes.find((one) => one === event.currentTarget.value);
            if (chosen !== undefined) chooseTheme(chosen);
          }}
        >
          {themes.map((one) => (
            <option key={one} value={one}>
              {shell.themes[one]}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="quiet-button"
        title={shell.help}
        aria-label={shell.help}
        onClick={() => (helpOpen.value = true)}
      >
        <Icon name="help" />
      </button>
      <span class="account" title={shell.account(session.user, shell.roles[session.role])}>
        <span class="user">{session.user}</span>
        <span class="role">{shell.roles[session.role]}</span>
      </span>
      <button type="button" class="quiet-button" onClick={() => void signOut()}>
        <Icon name="signOut" />
        <span class="wide-only">{shell.signOut}</span>
      </button>
    </header>
  );
}
