using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using PsyLite.Store.Accounts;

namespace PsyLite.Server.Accounts;

/// <summary>
/// A page holds its connection for hours. Whatever it does is done by an account that is still let in: after a sign-out, a new password or a
/// disabled account the connection ends with the next thing that is done on it.
/// </summary>
internal sealed class SessionCircuit(AuthenticationStateProvider authentication, AccountBook book, IOptions<IdentityOptions> identity, TimeProvider time) : CircuitHandler
{
    private static readonly TimeSpan Trusted = TimeSpan.FromSeconds(5);
    private long? _checked;

    public override Func<CircuitInboundActivityContext, Task> CreateInboundActivityHandler(Func<CircuitInboundActivityContext, Task> next) => async context =>
    {
        if (_checked is not { } at || time.GetElapsedTime(at) > Trusted)
        {
            await CheckAsync();
            _checked = time.GetTimestamp();
        }

        await next(context);
    };

    private async Task CheckAsync()
    {
        var user = (await authentication.GetAuthenticationStateAsync()).User;
        var stamp = user.FindFirst(identity.Value.ClaimsIdentity.SecurityStampClaimType)?.Value;
        if (await book.FindAsync(Owner.Of(user), CancellationToken.None) is not { IsDisabled: false } account || account.Stamp != stamp)
        {
            throw new UnauthorizedAccessException("the session is over.");
        }
    }
}
