//! For tests only: an ecosystem on free ports, a movable clock, one shared PKI per process
