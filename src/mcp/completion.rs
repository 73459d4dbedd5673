//! Values that a client offers while a person fills in an argument of a prompt, or a variable of a URI's form.

use super::{request::Kind, resource::Variable, server::Server};
use crate::model::{Failure, Principal};
use rmcp::{
    ErrorData, RoleServer,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
    service::RequestContext,
};

impl Server {
    /// Values that begin like the one that is being written.
    pub(super) async fn completions(
        &self,
        request: &CompleteRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let caller = self.caller(context).principal;
        let values =
            self.answered(Kind::reading("completion/complete"), context, self.offered(request, &caller)).await?;
        let Some(mut values) = values else {
            let message = "there is no such prompt or resource template, or it has no such argument: prompts/list and \
                resources/templates/list show them";
            return Err(ErrorData::invalid_params(message, None));
        };
        let has_more = values.len() > CompletionInfo::MAX_VALUES;
        values.truncate(CompletionInfo::MAX_VALUES);
        let values = CompletionInfo::with_pagination(values, None, has_more);
        Ok(CompleteResult::new(values.map_err(|_| ErrorData::internal_error("too many values", None))?))
    }

    /// Nothing if nobody knows the argument.
    async fn offered(
        &self,
        request: &CompleteRequestParams,
        caller: &Principal,
    ) -> Result<Option<Vec<String>>, Failure> {
        let (argument, value) = (request.argument.name.as_str(), request.argument.value.as_str());
        match &request.r#ref {
            Reference::Prompt(wanted) => {
                let Some((form, prompt)) = self.prompts.iter().find(|(form, _)| form.name == wanted.name) else {
                    return Ok(None);
                };
                if !form.arguments.iter().any(|known| known.name == argument) {
                    return Ok(None);
                }
                prompt.complete(caller, argument, value).await.map(Some)
            }
            Reference::Resource(wanted) => {
                let variable = Variable { template: &wanted.uri, name: argument };
                for resource in self.resources.iter() {
                    if let Some(values) = resource.complete(caller, variable, value).await? {
                        return Ok(Some(values));
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}
