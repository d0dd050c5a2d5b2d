// The desk's checks, each made to fail and to warn.
import { describe } from 'vitest';
import { deskCases } from '../rig/doctorCases/desk.ts';
import { inProcess } from '../rig/doctorCases/machines.ts';
import { policyCases } from '../rig/doctorCases/policy.ts';
import { runCases } from './doctorCases.ts';

describe('the desk', () => runCases(inProcess(deskCases)));

describe('the policy of the machine', () => runCases(inProcess(policyCases)));
