#!/usr/bin/env node
// The sources are TypeScript: tsx runs them as they are, so a checkout needs no build step for the command line.
import { register } from 'tsx/esm/api'

register()
await import('../src/cli/main.ts')
