import "./busy.js";
import "./copy.js";

// Data Center signs in with the token alone.
const kind = document.getElementById("id_deployment");
const email = document.getElementById("id_email")?.closest(".field");
if (kind && email) {
  const show = () => { email.hidden = kind.value === "data_center"; };
  kind.addEventListener("change", show);
  show();
}
