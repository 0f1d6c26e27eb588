// The list of what the compiled module holds; one file binds each subject.
#include <pybind11/pybind11.h>

void bind_predictor(pybind11::module_& m);
void bind_scoring(pybind11::module_& m);
void bind_closed_form(pybind11::module_& m);
void bind_training(pybind11::module_& m);

// AUTOMS_MODULE is this CPU level's name for the module, for example _core_v3.
PYBIND11_MODULE(AUTOMS_MODULE, m) {
  m.doc() = "The compiled core of automs for one CPU level.";
  bind_predictor(m);
  bind_scoring(m);
  bind_closed_form(m);
  bind_training(m);
}
