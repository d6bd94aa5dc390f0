//! Starts an ecosystem in one process
