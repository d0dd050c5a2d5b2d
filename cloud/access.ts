// Puts verifier and look-ups together as the settings say.

import { connectApi } from './aws/connectApi.ts';
import type { Access } from './broker/access.ts';
import { accessSettings, type AccessSettings, type Environment } from './settings.ts';
import { hmacVerifier } from './tokens/hmac.ts';
import { oidcVerifier } from './tokens/oidc.ts';
import { connectUsernames } from './tokens/usernames.ts';

/** @throws Error that names the variable which is wrong */
export function openAccess(env: Environment): Access & { readonly settings: AccessSettings } {
  const settings = accessSettings(env);
  const { verifier } = settings;
  return {
    settings,
    verify: verifier.kind === 'oidc' ? oidcVerifier(verifier) : hmacVerifier(verifier),
    usernameOf: connectUsernames((region) => connectApi(region, env)),
  };
}
