//! Tables of bodies and what they give.
