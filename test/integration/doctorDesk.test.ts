// The desk's checks, each made to fail and to warn on the built program.
import { describe } from 'vitest';
import { deskCases } from '../rig/doctorCases/desk.ts';
import { policyCases } from '../rig/doctorCases/policy.ts';
import { runCases } from './doctorCases.ts';

describe('the desk', () => runCases(deskCases));

describe('the policy of the machine', () => runCases(policyCases));
