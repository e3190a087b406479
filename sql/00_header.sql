\echo Use "CREATE EXTENSION callsync CASCADE" to load this file. \quit
