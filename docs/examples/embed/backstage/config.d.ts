/** The settings that the card reads. Name this file as `configSchema` in the package.json of the package that has the card. */
export interface Config {
  fleetglass: {
    /**
     * Where Fleetglass is.
     * @visibility frontend
     */
    url: string;
    /**
     * The token of a share link that lists this portal's origin. It stands in every page, so the link shows no more than the
     * portal's readers may know.
     * @visibility frontend
     */
    token: string;
  };
}
