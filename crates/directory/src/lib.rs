//! Party: participants, software statements, certificates, SSAs
