namespace PsyLite.Server;

/// <summary>A request that cannot be served, with the status and the words for the caller.</summary>
internal sealed class ApiException(int status, string code, string message, string? parameter = null) : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    public string? Parameter { get; } = parameter;

    /// <summary>When to come again; null where coming again does not help.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static ApiException Invalid(string message, string? parameter = null) => new(400, "invalid_request_error", message, parameter);

    public static ApiException UnknownModel(string? id) =>
        new(404, "model_not_found", $"the model {id} does not exist here; this server offers {ServedModel.Id}", "model");
}
