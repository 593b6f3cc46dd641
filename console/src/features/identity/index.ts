export { ApiKeysPage } from "./pages/ApiKeysPage";
export { MembersPage } from "./pages/MembersPage";
export { SignInPage } from "./pages/SignInPage";
export { TenantPage } from "./pages/TenantPage";
