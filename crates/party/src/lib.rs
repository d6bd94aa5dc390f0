//! What every party's process shares: settings, logging, control port, start and stop
