//! What happens: the scenario language, its runner and its reports
